/** A decision in one line, leading to its card. */
import type { Decision } from "../api/types";
import { say, t } from "../words";
import { clock, percent } from "../words/format";
import { Icon } from "../shell/icon";

export function DecisionLine({ decision }: { decision: Decision }) {
  const first = decision.actions[0];
  return (
    <li class="line-item">
      <a class="bare" href={`#/decisions/${decision.id}`}>
        <Icon name="decisions" />
        <span>
          {first ? say(first.text) || first.code : t("decisions.no_action")}
          <small class="quiet">
            {t("decisions.made", { time: clock(decision.at_s) })}
            {decision.certainty !== null && ` · ${t("decisions.certainty", { share: percent(decision.certainty) })}`}
          </small>
        </span>
      </a>
    </li>
  );
}
