/** Decision cards: what to do, why, on what evidence, who confirmed or rejected it, what happened. */
import { signal, useSignal } from "@preact/signals";
import type { Coded, Decision } from "../api/types";
import { city, decisions, mayAct, nowS } from "../state/city";
import { say, t, word } from "../words";
import { clock, dayAndClock, duration, number, percent } from "../words/format";
import { useAction } from "../shell/action";
import { Failure } from "../shell/failure";
import { Icon } from "../shell/icon";

const FILTERS = ["all", "waiting", "advice", "answered"] as const;
const filter = signal<(typeof FILTERS)[number]>("all");

function passes(one: Decision): boolean {
  if (filter.value === "all") return true;
  if (filter.value === "answered") return one.status === "confirmed" || one.status === "rejected";
  return one.status === filter.value;
}

export function DecisionCards({ chosen }: { chosen: string | null }) {
  const all = decisions.data.value ?? [];
  const rank = (one: Decision) => (String(one.id) === chosen ? 2 : one.status === "waiting" ? 1 : 0);
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

function Card({ decision }: { decision: Decision }) {
  const service = city.data.value?.services.find((one) => one.name === decision.service);
  const left = decision.valid_until_s === null ? null : decision.valid_until_s - nowS.value;
  return (
    <article class={`card decision ${decision.status}`} data-decision={decision.id}>
      <header>
        <div class="grow">
          <p class="quiet">
            {service ? say(service.title) : decision.service} · {decision.party} · {dayAndClock(decision.at_s)}
          </p>
          {decision.actions.length === 0 && <h2>{t("decisions.no_action")}</h2>}
          {decision.actions.map((one, i) => <h2 key={i}>{say(one.text) || [one.code, one.place].join(" ")}</h2>)}
        </div>
        <span class={`pill ${decision.status}`}>{word("decision_status", decision.status)}</span>
      </header>
      <p class="tags">
        {decision.certainty !== null && <Certainty share={decision.certainty} />}
        {decision.band !== null && <span class="pill">{t("decisions.band", { share: percent(decision.band) })}</span>}
        {left !== null && (
          <span class="pill">
            {left > 0 ? t("decisions.valid", { time: clock(decision.valid_until_s), left: duration(left) }) : t("decisions.valid_over", { time: clock(decision.valid_until_s) })}
          </span>
        )}
      </p>
      <Reasons decision={decision} />
      <EvidenceTable decision={decision} />
      {decision.outcome && (
        <section class="outcome">
          <h3>{t("decisions.outcome")}</h3>
          <p>{say(decision.outcome.text)}</p>
        </section>
      )}
      <Answers decision={decision} />
      <Answering decision={decision} />
    </article>
  );
}

function Certainty({ share }: { share: number }) {
  return (
    <span class="pill certainty">
      <meter min={0} max={1} value={share} aria-hidden="true" />
      {t("decisions.certainty", { share: percent(share) })}
    </span>
  );
}

/** A reason that the node has no words for. */
function inNumbers({ code, numbers }: Coded): string {
  const given = Object.entries(numbers).map(([name, value]) => `${name} ${number(value)}`);
  return [code, ...given].join(", ");
}

function Reasons({ decision }: { decision: Decision }) {
  if (decision.reasons.length === 0) return null;
  return (
    <section>
      <h3>{t("decisions.reasons")}</h3>
      <ul class="reasons">
        {decision.reasons.map((one, i) => <li key={i}>{say(one.text) || inNumbers(one)}</li>)}
      </ul>
    </section>
  );
}

function EvidenceTable({ decision }: { decision: Decision }) {
  if (decision.evidence.length === 0) return <p class="warn">{t("evidence.none")}</p>;
  return (
    <section>
      <h3>{t("evidence.title")}</h3>
      <div class="scroll" tabIndex={0} role="region" aria-label={t("evidence.title")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("evidence.agency")}</th>
              <th scope="col" class="number">{t("evidence.age")}</th>
              <th scope="col" class="number">{t("evidence.missing")}</th>
              <th scope="col" class="number"><abbr title={t("evidence.leakage_is")}>{t("evidence.leakage")}</abbr></th>
            </tr>
          </thead>
          <tbody>
            {decision.evidence.map((one) => (
              <tr key={one.agency}>
                <th scope="row">{one.agency}</th>
                <td class="number" title={dayAndClock(one.newest_s)}>{duration(one.age_s)}</td>
                <td class="number">{percent(one.missing, 1)}</td>
                <td class="number">{one.leakage === null ? t("evidence.not_measured") : number(one.leakage, 2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Answers({ decision }: { decision: Decision }) {
  if (decision.answers.length === 0) return null;
  return (
    <ol class="history">
      {decision.answers.map((one, i) => (
        <li key={i}>
          <time>{dayAndClock(one.at_s)}</time> <b>{word("answer", one.answer)}</b> <span class="quiet">{one.who}</span> {one.comment}
        </li>
      ))}
    </ol>
  );
}

function Answering({ decision }: { decision: Decision }) {
  const comment = useSignal("");
  const { act, busy, error } = useAction<Decision>((answer) => {
    decisions.data.value = (decisions.data.value ?? []).map((one) => (one.id === answer.id ? answer : one));
  });
  const { status, confirm } = decision;
  const open = status === "waiting" && confirm !== "nobody";
  const answered = status === "confirmed" || status === "rejected";
  const path = `/api/decisions/${decision.id}/answers`;
  const answer_ = (answer: "confirm" | "reject" | "undo") => void act(path, { answer, comment: comment.peek().trim() });
  if (!open && !answered) {
    return confirm === "nobody" ? <p class="quiet">{t("decisions.needs_nobody")}</p> : null;
  }
  if (!mayAct.value) return <p class="quiet">{t("decisions.may_not")}</p>;
  return (
    <div>
      {open && <p class="quiet">{word("confirm", confirm)}</p>}
      <form class="buttons" onSubmit={(event) => event.preventDefault()}>
        <label class="grow">
          <span class="sr">{t("decisions.comment")}</span>
          <input placeholder={t("decisions.comment")} maxLength={500} onInput={(event) => (comment.value = event.currentTarget.value)} />
        </label>
        {open && (
          <>
            <button type="button" class="primary" data-answer="confirm" disabled={busy} onClick={() => answer_("confirm")}>
              <Icon name="check" /> {t("answer.confirm")}
            </button>
            <button type="button" data-answer="reject" disabled={busy} onClick={() => answer_("reject")}>
              <Icon name="close" /> {t("answer.reject")}
            </button>
          </>
        )}
        {answered && (
          <button type="button" data-answer="undo" disabled={busy} onClick={() => answer_("undo")}>{t("answer.undo")}</button>
        )}
      </form>
      <Failure error={error} />
    </div>
  );
}
