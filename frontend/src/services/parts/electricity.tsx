/** Electricity: when the peak comes, how high, how sure, and who could shift. */
import { t } from "../../words";
import { dayAndClock, number, percent } from "../../words/format";
import { Actions } from "../actions";
import type { PartProps } from "../registry";
import { Figures, reasonOf, Share, Table } from "../tables";

export default function Electricity({ party, decision }: PartProps) {
  const peak = reasonOf(decision.reasons, "peak-ahead")?.numbers;
  const above = decision.reasons.filter((one) => one.code === "above-usual-share");
  const largest = decision.actions[0];
  if (!peak || !largest) return <Actions party={party} decision={decision} />;
  const amount = (value: number | null | undefined) => (value === null || value === undefined ? "–" : `${number(value)} ${party.unit}`);
  return (
    <section class="special">
      <h2>{t("peak.title")}</h2>
      <Figures of={[
        [t("peak.when"), dayAndClock(largest.at_s), t("peak.near", { hours: number(peak["near-hours"]), share: percent(peak["probability"]) })],
        [t("peak.height"), amount(peak["value"]), t("places.band", { low: amount(peak["low"]), high: amount(peak["high"]) })],
        [t("peak.usual"), amount(peak["usual"])],
        [t("peak.largest"), largest.place, amount(largest.numbers["value"])],
      ]} />
      <h3>{t("peak.shift")}</h3>
      {above.length === 0 ? <p class="quiet">{t("peak.nobody")}</p> : (
        <div class="card">
          <Table
            label={t("peak.shift")}
            heads={[
              { text: t("places.place") }, { text: t("peak.excess"), number: true }, { text: t("peak.share") },
              { text: t("peak.usual_share") }, { text: t("services.probability") },
            ]}
            rows={above.map((one) => ({
              key: one.place,
              cells: [
                one.place, amount(one.numbers["excess"]), <Share value={one.numbers["share"]} digits={1} />,
                <Share value={one.numbers["usual-share"]} digits={1} />, <Share value={one.numbers["probability"]} />,
              ],
            }))}
          />
        </div>
      )}
    </section>
  );
}
