/** The first page: the map, the slider, and beside them what asks for attention. */
import { signal } from "@preact/signals";
import { clockSkew } from "../api/client";
import { city, keyOf, now, openAlarms, party, partyKey, partyNow, waitingDecisions, waitsForFirst } from "../state/city";
import { chosenS, frame, frameError, placeId, playing } from "../state/moment";
import { say, t, word } from "../words";
import { clock, duration, number } from "../words/format";
import { AlarmLine } from "../alarms/alarm_line";
import { DecisionLine } from "../decisions/decision_line";
import { Failure } from "../shell/failure";
import { CityMap, range } from "./city_map";
import { GRADIENT } from "./colour";
import { Detail } from "./detail";
import { coverage, PlaceTable, PlaceTiles } from "./place_list";
import { Slider } from "./slider";

const asTable = signal(false);

export function Overview() {
  const shown = party.value;
  const placed = shown?.places.some((one) => one.lat !== null) ?? false;
  return (
    <div class="overview">
      <section class="stage" aria-label={t("map.label")}>
        <div class="stage-bar">
          {shown && <PartyChoice />}
          <Freshness />
          {placed && (
            <button type="button" id="as-table" aria-pressed={asTable.value} onClick={() => (asTable.value = !asTable.value)}>
              {t("map.as_table")}
            </button>
          )}
        </div>
        <Failure error={frameError.value} />
        <div class="stage-view">
          {!shown ? <p class="empty">{firstForecast() ?? t("map.no_party")}</p>
            : !placed ? <PlaceTiles />
            : asTable.value ? <PlaceTable />
            : <CityMap />}
          {placed && !asTable.value && <Scale />}
        </div>
        {shown && <Slider />}
      </section>
      <aside class="rail" aria-label={t("rail.label")}>
        <Detail />
        <section>
          <h2>
            <a href="#/alarms">{t("nav.alarms")}</a> <span class="count">{openAlarms.value.length}</span>
          </h2>
          <ul class="lines">
            {openAlarms.value.slice(0, 5).map((one) => <AlarmLine alarm={one} key={one.id} />)}
          </ul>
          {openAlarms.value.length === 0 && <p class="quiet">{t("alarms.none")}</p>}
        </section>
        <section>
          <h2>
            <a href="#/decisions">{t("rail.waiting")}</a>{" "}
            <span class="count">{waitingDecisions.value.length}</span>
          </h2>
          <ul class="lines">
            {waitingDecisions.value.slice(0, 4).map((one) => <DecisionLine decision={one} key={one.id} />)}
          </ul>
          {waitingDecisions.value.length === 0 && <p class="quiet">{t("decisions.none_waiting")}</p>}
        </section>
      </aside>
    </div>
  );
}

function PartyChoice() {
  const all = city.data.value;
  const shown = party.value;
  return (
    <label class="choice">
      <span class="sr">{t("map.party")}</span>
      <select
        id="party"
        value={shown ? keyOf(shown) : ""}
        onChange={(event) => {
          partyKey.value = event.currentTarget.value;
          placeId.value = null;
          chosenS.value = null;
          playing.value = false;
        }}
      >
        {all?.services.map((service) => (
          <optgroup label={say(service.title)} key={service.name}>
            {all.parties
              .filter((one) => one.service === service.name)
              .map((one) => (
                <option value={keyOf(one)} key={keyOf(one)}>
                  {say(one.title)} ({one.unit})
                </option>
              ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

/** That the first forecast is still being learned, and since when; null: nothing is. */
function firstForecast(): string | null {
  const since = now.data.value?.first_learning_since_s;
  if (!since) return null;
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone; // of who waits: a replay's city is in another time
  const age = duration(Date.now() / 1000 + (clockSkew.value ?? 0) - since);
  return t("map.first_learning", { time: clock(since, here), age });
}

function Freshness() {
  const known = partyNow.value;
  if (!known) return null;
  return (
    <p class="freshness">
      <span class={`pill ${known.status}`}>{word("status", known.status)}</span>
      {known.lag_s !== null && <span class="quiet">{t("map.age", { age: duration(known.lag_s) })}</span>}
      <span class="quiet">{t("map.coverage", { share: coverage() })}</span>
      {known.gap && <span class="warn">{say(known.gap.text)}</span>}
      {waitsForFirst(known) && <span class="quiet" id="first-forecast">{t("map.first_forecast")}</span>}
    </p>
  );
}

export function Scale() {
  const ends = range.value;
  if (!ends || !frame.value) return null;
  return (
    <div class="scale" role="img" aria-label={t("map.scale", { low: number(ends.low), high: number(ends.high), unit: party.value?.unit ?? "" })}>
      <span class="scale-bar" style={{ background: GRADIENT }} />
      <span class="scale-ends">
        <span>{number(ends.low)}</span>
        <span>{party.value?.unit}</span>
        <span>{number(ends.high)}</span>
      </span>
      <span class="scale-none"><i /> {t("kind.none")}</span>
    </div>
  );
}
