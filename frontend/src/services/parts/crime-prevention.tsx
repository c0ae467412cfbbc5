/** Crime prevention: patrolled cells on the map, and beside them who bears it and where it drifts. */
import { useState } from "preact/hooks";
import type { Decision, Party } from "../../api/types";
import { keyOf } from "../../state/city";
import { t } from "../../words";
import { number, percent } from "../../words/format";
import { Actions } from "../actions";
import { PlaceMap, type Spot } from "../place_map";
import { PlanForm, usePlan } from "../plan";
import type { PartProps } from "../registry";
import { reasonOf, Share, Table } from "../tables";

type Numbers = Record<string, number | null>;

export default function CrimePrevention({ party, decision }: PartProps) {
  return <Patrols party={party} decision={decision} key={keyOf(party)} />;
}

/** The patrols of the newest decision, or of as many as are asked for here. */
function Patrols({ party, decision }: PartProps) {
  const asking = usePlan(party);
  const [units, setUnits] = useState("");
  return (
    <>
      <section class="special">
        <h2>{t("patrols.ask")}</h2>
        <PlanForm asking={asking} how={t("patrols.how")} what={() => ({ units })}>
          <label>
            <span>{t("patrols.number")}</span>
            <input
              name="units" type="number" min={0} max={100000} required value={units}
              onInput={(event) => setUnits(event.currentTarget.value)}
            />
          </label>
        </PlanForm>
      </section>
      <Cells party={party} decision={asking.plan ?? decision} />
    </>
  );
}

type Made = Pick<Decision, "actions" | "reasons">;

function Cells({ party, decision }: { party: Party; decision: Made }) {
  const plan = reasonOf(decision.reasons, "patrols-planned")?.numbers;
  if (!plan) return <Actions party={party} decision={decision} />;
  const spots = decision.actions.map((one, i): Spot => ({ place: one.place ?? "", kind: "act", label: String(i + 1) }));
  return (
    <section class="special beside">
      <div class="card">
        <h2>{t("patrols.cells")}</h2>
        <p>{t("patrols.plan", { n: number(plan["patrols"]), of: number(plan["cells"]) })}</p>
        <PlaceMap label={t("patrols.map")} places={party.places} outlines={party.outlines} spots={spots} />
        <Table
          label={t("patrols.cells")}
          heads={[{ text: t("patrols.cell") }, { text: t("patrols.expected"), number: true }, { text: t("patrols.chance") }]}
          rows={decision.actions.map((one, i) => ({
            key: String(i),
            cells: [
              <><span class="spot act" aria-hidden="true">{i + 1}</span> {one.place}</>, number(one.numbers["value"]),
              <Share value={one.numbers["probability"]} />,
            ],
          }))}
        />
      </div>
      <Checks
        plan={plan} burden={reasonOf(decision.reasons, "burden")?.numbers}
        feedback={reasonOf(decision.reasons, "feedback")?.numbers}
      />
    </section>
  );
}

interface ChecksProps {
  plan: Numbers;
  burden: Numbers | undefined;
  feedback: Numbers | undefined;
}

function Checks({ plan, burden, feedback }: ChecksProps) {
  return (
    <div class="card checks">
      <h2>{t("patrols.checks")}</h2>
      <h3>{t("patrols.worth")}</h3>
      <p>{t("patrols.served", { served: percent(plan["served"]), pai: number(plan["pai"], 2) })}</p>
      <h3>{t("patrols.burden")}</h3>
      {burden ? (
        <Pair
          first={[t("patrols.of_patrols"), burden["patrol-share"]]} second={[t("patrols.of_counts"), burden["count-share"]]}
          says={t((burden["patrol-share"] ?? 0) > (burden["count-share"] ?? 0) ? "patrols.unequal" : "patrols.equal")}
        />
      ) : <p class="quiet">{t("patrols.not_known")}</p>}
      <h3>{t("patrols.feedback")}</h3>
      {feedback ? (
        <Pair
          first={[t("patrols.before"), feedback["before"]]} second={[t("patrols.after", { days: number(feedback["days"]) }), feedback["after"]]}
          says={t((feedback["after"] ?? 0) > (feedback["before"] ?? 0) ? "patrols.drifts" : "patrols.stays")}
        />
      ) : <p class="quiet">{t("patrols.not_known")}</p>}
      <p class="notice">{t("patrols.never")}</p>
    </div>
  );
}

type Named = [string, number | null | undefined];

function Pair({ first, second, says }: { first: Named; second: Named; says: string }) {
  return (
    <>
      <dl class="pair">
        {[first, second].map(([name, value]) => (
          <div key={name}><dt>{name}</dt><dd><Share value={value} /></dd></div>
        ))}
      </dl>
      <p class="quiet">{says}</p>
    </>
  );
}
