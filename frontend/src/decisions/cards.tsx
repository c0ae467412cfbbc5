/** The decisions of all services, and what a person answers to them. */
import { signal, useSignal } from "@preact/signals";
import type { ApiError } from "../api/client";
import type { Decision } from "../api/types";
import { city, cityNowS, decisions, decisionsNow, keepAnswered, mayAct } from "../state/city";
import { isKey, say, t, word } from "../words";
import { dayAndClock } from "../words/format";
import { timeZone } from "../words/language";
import { useAction } from "../shell/action";
import { Failure } from "../shell/failure";
import { Icon } from "../shell/icon";
import { DecisionCard } from "./card";

const FILTERS = ["all", "waiting", "advice", "answered"] as const;
const filter = signal<(typeof FILTERS)[number]>("all");
/** Decisions that an answer came too late for: they stay where they are, with why. */
const tooLate = signal<ReadonlySet<number>>(new Set());

function passes(one: Decision): boolean {
  if (filter.value === "all" || tooLate.value.has(one.id)) return true;
  if (filter.value === "answered") return one.status === "confirmed" || one.status === "rejected";
  return one.status === filter.value;
}

export function DecisionCards({ chosen }: { chosen: string | null }) {
  const all = decisionsNow.value;
  const asks = (one: Decision) => one.status === "waiting" || tooLate.value.has(one.id);
  const rank = (one: Decision) => (String(one.id) === chosen ? 2 : asks(one) ? 1 : 0);
  const shown = all.filter(passes).sort((a, b) => rank(b) - rank(a) || b.at_s - a.at_s);
  return (
    <div class="page">
      <div class="page-bar">
        <h1>{t("nav.decisions")}</h1>
        <label class="choice">
          <span>{t("decisions.show")}</span>
          <select value={filter.value} onChange={(event) => (filter.value = event.currentTarget.value as "all")}>
            {FILTERS.map((one) => <option value={one} key={one}>{word("decision_filter", one)}</option>)}
          </select>
        </label>
      </div>
      <Failure error={decisions.error.value} />
      {shown.length === 0 && <p class="empty">{t("decisions.none")}</p>}
      <ul class="cards wide">
        {shown.map((one) => <li key={one.id}><Card decision={one} /></li>)}
      </ul>
    </div>
  );
}

/** A decision with what may be answered to it. */
export function Card({ decision }: { decision: Decision }) {
  const service = city.data.value?.services.find((one) => one.name === decision.service);
  const party = city.data.value?.parties.find((one) => one.service === decision.service && one.party === decision.party);
  const whose = `${service ? say(service.title) : decision.service} · ${say(party?.title) || decision.party}`;
  return (
    <DecisionCard decision={decision} whose={whose} now_s={cityNowS.value} zone={timeZone.value}>
      <Answering decision={decision} />
    </DecisionCard>
  );
}

function Answering({ decision }: { decision: Decision }) {
  const comment = useSignal("");
  const { act, busy, error } = useAction<Decision>(keepAnswered, ({ decision: found }) => {
    if (!found) return;
    keepAnswered(found);
    tooLate.value = new Set([...tooLate.value, found.id]);
  });
  const { status, confirm } = decision;
  const open = status === "waiting" && confirm !== "nobody";
  const answered = status === "confirmed" || status === "rejected";
  const path = `/api/decisions/${decision.id}/answers`;
  const answer_ = async (answer: "confirm" | "reject" | "undo") => {
    const kept = await act(path, { answer, comment: comment.peek().trim() });
    if (kept) comment.value = ""; // what was written belongs to one answer
  };
  if (!open && !answered) return <Over decision={decision} error={error} />;
  if (!mayAct.value) return <p class="quiet">{t("decisions.may_not")}</p>;
  return (
    <div>
      {open && <p class="quiet">{word("confirm", confirm)}</p>}
      <form class="buttons" onSubmit={(event) => event.preventDefault()}>
        <label class="grow">
          <span class="sr">{t("decisions.comment")}</span>
          <input placeholder={t("decisions.comment")} maxLength={500} value={comment.value} onInput={(event) => (comment.value = event.currentTarget.value)} />
        </label>
        {open && (
          <>
            <button type="button" class="primary" data-answer="confirm" disabled={busy} onClick={() => void answer_("confirm")}>
              <Icon name="check" /> {t("answer.confirm")}
            </button>
            <button type="button" data-answer="reject" disabled={busy} onClick={() => void answer_("reject")}>
              <Icon name="close" /> {t("answer.reject")}
            </button>
          </>
        )}
        {answered && (
          <button type="button" data-answer="undo" disabled={busy} onClick={() => void answer_("undo")}>{t("answer.undo")}</button>
        )}
      </form>
      {error?.decision ? <TooLate decision={decision} /> : <Failure error={error} />}
    </div>
  );
}

/** Why it cannot be answered, or no longer. */
function Over({ decision, error }: { decision: Decision; error: ApiError | null }) {
  const { confirm, status, valid_until_s } = decision;
  if (error?.decision) return <TooLate decision={decision} />;
  if (confirm === "nobody") return <p class="quiet">{t("decisions.needs_nobody")}</p>;
  if (status === "expired") return <p class="quiet">{t("decisions.unanswered", { time: dayAndClock(valid_until_s) })}</p>;
  return status === "replaced" ? <p class="quiet">{t("decisions.unanswered_newer")}</p> : null;
}

/** An answer was refused because the decision was no longer open to it; the card shows how it is now. */
function TooLate({ decision: { status, valid_until_s, answers } }: { decision: Decision }) {
  const why = `too_late.${status}` as const;
  const values = { time: dayAndClock(valid_until_s), who: answers.at(-1)?.who ?? "" };
  return (
    <div class="notice critical too-late" role="alert">
      {t("decisions.too_late")} {isKey(why) && t(why, values)}
    </div>
  );
}
