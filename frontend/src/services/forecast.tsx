/** A party's present forecast: one place's course with its band; the places are chosen from. */
import { useMemo, useState } from "preact/hooks";
import type { Decision, Party } from "../api/types";
import { t } from "../words";
import { dayAndClock } from "../words/format";
import { timeZone } from "../words/language";
import { Legend, Numbers } from "../chart/numbers";
import { SeriesChart } from "../chart/series_chart";
import { Failure } from "../shell/failure";
import { nowOf, useSeries } from "./fetched";

const OFFERED = 300; // places in the choice; the map and its search have all

/** Those that the decision is about first. */
function offered(party: Party, decision: Decision | undefined): string[] {
  const known = new Set(party.places.map((one) => one.id));
  const acted = (decision?.actions ?? []).map((one) => one.place ?? "").filter((id) => known.has(id));
  return [...new Set([...acted, ...party.places.slice(0, OFFERED).map((one) => one.id)])];
}

export function PartyForecast({ party, decision }: { party: Party; decision: Decision | undefined }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const ids = useMemo(() => offered(party, decision), [party, decision]);
  const place = chosen ?? ids[0] ?? null;
  const { answer: series, error } = useSeries(party, place);
  const known = nowOf(party);
  const zone = timeZone.value;
  const now = known?.newest_s ? [{ time: known.newest_s - party.step_s, chosen: false }] : [];
  return (
    <section id="forecast">
      <h2>{t("services.forecast")}</h2>
      <div class="card">
        <div class="page-bar">
          <label class="choice">
            <span>{t("places.place")}</span>
            <select id="service-place" value={place ?? ""} onChange={(event) => setChosen(event.currentTarget.value)}>
              {ids.map((id) => <option value={id} key={id}>{id}</option>)}
            </select>
          </label>
          {known?.origin_s && <span class="quiet">{t("kind.forecast_of", { time: dayAndClock(known.origin_s, zone) })}</span>}
        </div>
        <Failure error={error} />
        <SeriesChart series={series} unit={party.unit} zone={zone} marks={now} height={240} />
        <Legend zone={zone} />
        <Numbers series={series} zone={zone} />
      </div>
    </section>
  );
}
