/** One place: its value at the shown moment, its chart, and the same numbers as a table. */
import { openAlarms, party } from "../state/city";
import { frame, placeId, series, seriesThen } from "../state/moment";
import { say, t } from "../words";
import { number } from "../words/format";
import { timeZone } from "../words/language";
import { Legend, Numbers } from "../chart/numbers";
import { Icon } from "../shell/icon";
import { Chart } from "./chart";

export function Detail() {
  const shown = party.value;
  const index = shown?.places.findIndex((one) => one.id === placeId.value) ?? -1;
  const place = shown?.places[index];
  if (!shown || !place) return <p class="quiet hint">{t("detail.choose")}</p>;
  const value = frame.value?.value[index] ?? null;
  const [low, high] = [frame.value?.low?.[index] ?? null, frame.value?.high?.[index] ?? null];
  const own = openAlarms.value.filter(
    (one) => one.service === shown.service && one.party === shown.party && one.place === place.id,
  );
  return (
    <section class="detail" aria-label={t("detail.label", { place: place.id })}>
      <header>
        <h2>{place.id}</h2>
        <button type="button" class="icon" aria-label={t("detail.close")} onClick={() => (placeId.value = null)}>
          <Icon name="close" />
        </button>
      </header>
      <p class="figure" id="place-value">
        {number(value)} <small>{shown.unit}</small>
        {low !== null && high !== null && (
          <span class="quiet"> {t("detail.band", { low: number(low), high: number(high) })}</span>
        )}
        {place.capacity !== null && (
          <span class="quiet"> {t("detail.capacity", { n: number(place.capacity) })}</span>
        )}
      </p>
      {own.map((one) => (
        <p class={`notice ${one.severity}`} key={one.id}>
          <Icon name={one.severity} /> {say(one.text)}
        </p>
      ))}
      <Chart />
      <Legend then={seriesThen.value} zone={timeZone.value} />
      <Numbers series={series.value} zone={timeZone.value} />
    </section>
  );
}
