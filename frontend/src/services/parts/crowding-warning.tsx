/** Crowds: which stations go above their limit, by the time at which they do. */
import type { Action } from "../../api/types";
import { t } from "../../words";
import { dayAndClock, number, percent } from "../../words/format";
import { PlaceMap, type Spot } from "../place_map";
import type { PartProps } from "../registry";
import { Share, Table } from "../tables";

/** How far above its limit, as a share of it. */
function over({ numbers }: Action): number | null {
  const { value, limit } = numbers;
  return value === null || value === undefined || !limit ? null : value / limit;
}

export default function CrowdingWarning({ party, decision }: PartProps) {
  const { quantile, limits, probability, cutoff } = decision.reasons[0]?.numbers ?? {};
  if (limits === 0) return <p class="card special">{t("crowds.no_limits")}</p>;
  const stations = [...decision.actions].sort((a, b) => (a.at_s ?? 0) - (b.at_s ?? 0) || (over(b) ?? 0) - (over(a) ?? 0));
  const about = t("crowds.limit", { quantile: percent(quantile) });
  if (stations.length === 0) {
    return <p class="card special">{t("crowds.none", { p: percent(probability), cutoff: percent(cutoff) })} <span class="quiet">{about}</span></p>;
  }
  const spots = stations.map((one, i): Spot => ({ place: one.place ?? "", kind: "act", label: String(i + 1) }));
  return (
    <section class="special beside">
      <div class="card">
        <h2>{t("crowds.title")}</h2>
        <p class="quiet">{about}</p>
        <Table
          label={t("crowds.title")}
          heads={[
            { text: t("crowds.station") }, { text: t("services.when") }, { text: t("places.value", { unit: party.unit }), number: true },
            { text: t("crowds.its_limit"), number: true }, { text: t("crowds.of_limit"), number: true }, { text: t("services.probability") },
          ]}
          rows={stations.map((one, i) => ({
            key: String(i),
            cells: [
              <><span class="spot act" aria-hidden="true">{i + 1}</span> {one.place}</>, dayAndClock(one.at_s),
              number(one.numbers["value"]), number(one.numbers["limit"]), percent(over(one)), <Share value={one.numbers["probability"]} />,
            ],
          }))}
        />
      </div>
      <div class="card"><PlaceMap label={t("crowds.map")} places={party.places} outlines={party.outlines} spots={spots} /></div>
    </section>
  );
}
