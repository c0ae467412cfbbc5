/** The actions of a decision as they are, for services without a file of their own. */
import type { Decision, Party } from "../api/types";
import { say, t } from "../words";
import { dayAndClock, number } from "../words/format";
import { Share, Table } from "./tables";

export function Actions({ party, decision }: { party: Party; decision: Pick<Decision, "actions"> }) {
  if (decision.actions.length === 0) return null;
  return (
    <section class="special">
      <h2>{t("services.actions")}</h2>
      <div class="card">
        <Table
          label={t("services.actions")}
          heads={[
            { text: t("services.action") }, { text: t("services.when") },
            { text: t("places.value", { unit: party.unit }), number: true }, { text: t("services.probability") },
          ]}
          rows={decision.actions.map((one, i) => ({
            key: String(i),
            cells: [
              say(one.text) || one.code, dayAndClock(one.at_s), number(one.numbers["value"]),
              <Share value={one.numbers["probability"]} />,
            ],
          }))}
        />
      </div>
    </section>
  );
}
