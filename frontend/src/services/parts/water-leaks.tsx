/** Water leaks: districts by how far their nights have risen above their own past nights. */
import { t } from "../../words";
import { number, percent } from "../../words/format";
import { Actions } from "../actions";
import type { PartProps } from "../registry";
import { reasonOf, Share, Table } from "../tables";

export default function WaterLeaks({ party, decision }: PartProps) {
  const few = reasonOf(decision.reasons, "too-few-nights")?.numbers;
  if (few) {
    return <p class="card special">{t("leaks.few", { nights: number(few["nights"]), needed: number(few["needed"]) })}</p>;
  }
  const found = decision.reasons.filter((one) => one.code === "night-flow-high" || one.code === "night-flow-usual");
  if (found.length === 0) return <Actions party={party} decision={decision} />;
  const { nights, limit, large, "large-nights": largeNights } = found[0]?.numbers ?? {};
  return (
    <section class="special">
      <h2>{t("leaks.title")}</h2>
      <div class="card">
        <p class="quiet">{t(large === undefined ? "leaks.how" : "leaks.both", {
          nights: number(nights), limit: number(limit), large: percent(large), largeNights: number(largeNights),
        })}</p>
        <Table
          label={t("leaks.title")}
          heads={[
            { text: t("leaks.district") }, { text: t("leaks.suspicion") }, { text: t("leaks.rise"), number: true },
            { text: t("leaks.flow", { unit: party.unit }), number: true }, { text: t("leaks.usual"), number: true },
            { text: t("leaks.excess"), number: true },
          ]}
          rows={found.map((one) => ({
            key: one.place,
            cells: [
              <>{one.place} <span class={`pill ${one.code === "night-flow-high" ? "warning" : ""}`}>{t(one.code === "night-flow-high" ? "leaks.high" : "leaks.quiet")}</span></>,
              <Share value={one.numbers["probability"]} />, number(one.numbers["rise"], 2), number(one.numbers["value"]),
              number(one.numbers["usual"]), number(one.numbers["excess"]),
            ],
          }))}
        />
      </div>
    </section>
  );
}
