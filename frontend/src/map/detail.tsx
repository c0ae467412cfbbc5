/** One place: its value at the shown moment, its chart, and the same numbers as a table. */
import { openAlarms, party } from "../state/city";
import { frame, placeId, series, seriesThen } from "../state/moment";
import { say, t } from "../words";
import { clock, number } from "../words/format";
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
      <Legend />
      <Numbers />
    </section>
  );
}

function Legend() {
  return (
    <ul class="legend" aria-hidden="true">
      <li><i class="line solid" />{t("kind.measured")}</li>
      <li><i class="line dashed" />{t("kind.forecast")}</li>
      <li><i class="patch" />{t("chart.band")}</li>
      {seriesThen.value && <li><i class="line dotted" />{t("chart.then", { time: clock(seriesThen.value.origin_s) })}</li>}
    </ul>
  );
}

function Numbers() {
  const found = series.value?.forecast;
  if (!found) return <p class="quiet">{series.value ? t("detail.no_forecast") : t("chart.loading")}</p>;
  return (
    <details>
      <summary>{t("detail.numbers", { time: clock(found.origin_s) })}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("detail.time")}</th>
            <th scope="col" class="number">{t("kind.forecast")}</th>
            <th scope="col" class="number">{t("places.low")}</th>
            <th scope="col" class="number">{t("places.high")}</th>
          </tr>
        </thead>
        <tbody>
          {found.time.map((time, i) => (
            <tr key={time}>
              <th scope="row">{clock(time)}</th>
              <td class="number">{number(found.value[i])}</td>
              <td class="number">{number(found.low[i])}</td>
              <td class="number">{number(found.high[i])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
