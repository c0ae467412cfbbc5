/** What stands beside a chart: what its lines mean, and the forecast as numbers. */
import type { Series } from "../api/types";
import { t } from "../words";
import { clock, dayAndClock, number } from "../words/format";

export function Legend({ then = null, zone }: { then?: Series["forecast"]; zone: string }) {
  return (
    <ul class="legend" aria-hidden="true">
      <li><i class="line solid" />{t("kind.measured")}</li>
      <li><i class="line dashed" />{t("kind.forecast")}</li>
      <li><i class="patch" />{t("chart.band")}</li>
      {then && <li><i class="line dotted" />{t("chart.then", { time: clock(then.origin_s, zone) })}</li>}
    </ul>
  );
}

const DAY_S = 86_400;

export function Numbers({ series, zone }: { series: Series | null; zone: string }) {
  const found = series?.forecast;
  if (!found) return <p class="quiet">{series ? t("detail.no_forecast") : t("chart.loading")}</p>;
  const far = (found.time.at(-1) ?? 0) - (found.time[0] ?? 0) >= DAY_S;
  return (
    <details>
      <summary>{t("detail.numbers", { time: far ? dayAndClock(found.origin_s, zone) : clock(found.origin_s, zone) })}</summary>
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
              <th scope="row">{far ? dayAndClock(time, zone) : clock(time, zone)}</th>
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
