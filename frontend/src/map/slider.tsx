/** From the past over now to the end of the forecast, by hand or played. */
import { partyNow } from "../state/city";
import { chosenS, frame, hoursBack, move, playing, shownS, span } from "../state/moment";
import { t, word } from "../words";
import { clock, dayAndClock, duration } from "../words/format";
import { Icon } from "../shell/icon";

export function Slider() {
  const { since, until, now, step } = span.value;
  const shown = shownS.value;
  const share = until > since ? ((now - since) / (until - since)) * 100 : 100;
  return (
    <div class="slider" role="group" aria-label={t("slider.label")}>
      <div class="slider-buttons">
        <button type="button" class="icon" onClick={() => move(-1)} aria-label={t("slider.back")}>
          <Icon name="back" />
        </button>
        <button
          type="button"
          class="icon"
          id="play"
          aria-pressed={playing.value}
          onClick={() => (playing.value = !playing.value)}
          aria-label={playing.value ? t("slider.pause") : t("slider.play")}
        >
          <Icon name={playing.value ? "pause" : "play"} />
        </button>
        <button type="button" class="icon" onClick={() => move(1)} aria-label={t("slider.on")}>
          <Icon name="on" />
        </button>
      </div>
      <div class="slider-track">
        <input
          id="time"
          type="range"
          min={since}
          max={until}
          step={step}
          value={shown}
          aria-label={t("slider.time")}
          aria-valuetext={`${dayAndClock(shown)}, ${kindWords()}`}
          onInput={(event) => {
            const to = Number(event.currentTarget.value);
            chosenS.value = to === now ? null : to;
          }}
        />
        <div class="slider-scale" aria-hidden="true">
          {share > 14 && <span>{clock(since)}</span>}
          <span class="slider-now" style={{ left: `${share}%` }}>{t("slider.now_mark")}</span>
          {share < 86 && <span>{clock(until)}</span>}
        </div>
      </div>
      <output class="slider-shown" for="time">
        <strong>{dayAndClock(shown)}</strong>
        <span class={`pill ${frame.value?.kind ?? "none"}`}>{kindWords()}</span>
      </output>
      <button
        type="button"
        id="now"
        disabled={chosenS.value === null}
        onClick={() => {
          chosenS.value = null;
          playing.value = false;
        }}
      >
        {t("slider.now")}
      </button>
      <label class="slider-reach">
        <span class="quiet">{t("slider.reach")}</span>
        <select
          value={String(hoursBack.value)}
          onChange={(event) => (hoursBack.value = Number(event.currentTarget.value))}
        >
          {[6, 12, 24, 72, 168].map((hours) => (
            <option value={String(hours)} key={hours}>{duration(hours * 3600)}</option>
          ))}
        </select>
      </label>
    </div>
  );
}

function kindWords(): string {
  const found = frame.value;
  if (!found) return t("kind.loading");
  if (found.kind !== "forecast") return word("kind", found.kind);
  return t("kind.forecast_of", { time: clock(found.origin_s ?? partyNow.value?.origin_s) });
}
