/** A plan asked of the node: advice to who asks, which the node keeps nowhere. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { type ApiError, query } from "../api/client";
import type { Party, Plan } from "../api/types";
import { say, t } from "../words";
import { Failure } from "../shell/failure";
import { useFetched } from "./fetched";

export interface Asking {
  /** What can be planned now: a plan for nobody. */
  basis: Plan | null;
  /** The answer, which follows each new forecast; null: nothing was asked. */
  plan: Plan | null;
  error: ApiError | null;
  /** With `request` or `units`; null takes the question back. */
  ask: (what: Record<string, string | number> | null) => void;
}

export function usePlan(party: Party): Asking {
  const [asked, setAsked] = useState<string | null>(null);
  const path = `/api/plan?${query({ service: party.service, party: party.party })}`;
  const basis = useFetched<Plan>(path);
  const found = useFetched<Plan>(asked === null ? null : `${path}&${asked}`);
  return {
    basis: basis.answer,
    plan: found.answer,
    error: basis.error ?? (asked === null ? null : found.error),
    ask: (what) => setAsked(what && query(what)),
  };
}

interface FormProps {
  asking: Asking;
  how: string;
  /** What is asked, as it stands in the fields. */
  what: () => Record<string, string | number>;
  children: ComponentChildren;
}

/** The fields of a question, and under them the answer in sentences. */
export function PlanForm({ asking, how, what, children }: FormProps) {
  const { plan, error, ask } = asking;
  return (
    <div class="card plan">
      <form
        class="fields"
        aria-label={t("plan.ask")}
        onSubmit={(event) => {
          event.preventDefault();
          ask(what());
        }}
      >
        <p class="quiet">{how}</p>
        {children}
        <button type="submit" class="primary">{t("plan.ask")}</button>
        {plan && <button type="button" onClick={() => ask(null)}>{t("plan.back")}</button>}
      </form>
      <Failure error={error} />
      <div role="status" id="plan-answer">
        {plan && (
          <>
            <h3>{t("plan.answer")}</h3>
            <ul>{plan.reasons.map((one, i) => say(one.text) && <li key={i}>{say(one.text)}</li>)}</ul>
            <p class="quiet">{t("plan.advice")}</p>
          </>
        )}
      </div>
    </div>
  );
}
