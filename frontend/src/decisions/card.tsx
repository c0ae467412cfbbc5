/** One decision: what to do, why, on what evidence, who confirmed or rejected it, what happened. */
import type { ComponentChildren } from "preact";
import type { Coded, Decision } from "../api/types";
import { say, t, word } from "../words";
import { clock, dayAndClock, duration, number, percent } from "../words/format";

const NAMED = 4; // actions; the service's page has them all

interface Props {
  decision: Decision;
  /** Whose it is, above the actions. */
  whose: string;
  /** The time of the reader; null: it is read long after. */
  now_s: number | null;
  zone: string;
  /** It in one or two words, and whether it warns; else its status. */
  state?: string;
  warns?: boolean;
  children?: ComponentChildren;
}

export function DecisionCard({ decision, whose, now_s, zone, state, warns = false, children }: Props) {
  return (
    <article class={`card decision ${decision.status}`} data-decision={decision.id}>
      <header>
        <div class="grow">
          <p class="quiet">
            {whose} · {dayAndClock(decision.at_s, zone)}
          </p>
          {decision.actions.length === 0 && <h2>{t("decisions.no_action")}</h2>}
          {decision.actions.slice(0, NAMED).map((one, i) => <h2 key={i}>{say(one.text) || [one.code, one.place].join(" ")}</h2>)}
          {decision.actions.length > NAMED && <p>{t("services.more", { n: decision.actions.length - NAMED })}</p>}
        </div>
        {state === undefined
          ? <span class={`pill ${decision.status}`}>{word("decision_status", decision.status)}</span>
          : <span class={`pill ${warns ? "warning" : ""}`}>{state}</span>}
      </header>
      <p class="tags">
        {decision.certainty !== null && <Certainty share={decision.certainty} />}
        {decision.band !== null && <span class="pill">{t("decisions.band", { share: percent(decision.band) })}</span>}
        {decision.valid_until_s !== null && <span class="pill">{validity(decision.valid_until_s, now_s, zone)}</span>}
      </p>
      <Reasons decision={decision} />
      {state === undefined && <EvidenceTable decision={decision} zone={zone} />}
      {decision.outcome && (
        <section class="outcome">
          <h3>{t("decisions.outcome")}</h3>
          <p>{say(decision.outcome.text)}</p>
        </section>
      )}
      <Answers decision={decision} zone={zone} />
      {children}
    </article>
  );
}

function validity(until: number, now_s: number | null, zone: string): string {
  const time = clock(until, zone);
  if (now_s === null) return t("decisions.valid_until", { time });
  const left = until - now_s;
  return left > 0 ? t("decisions.valid", { time, left: duration(left) }) : t("decisions.valid_over", { time });
}

function Certainty({ share }: { share: number }) {
  return (
    <span class="pill certainty">
      <meter min={0} max={1} value={share} aria-hidden="true" />
      {t("decisions.certainty", { share: surely(share) })}
    </span>
  );
}

/** Only what is certain is 100 % sure. */
function surely(share: number): string {
  return share < 1 ? percent(Math.min(share, 0.99)) : percent(share);
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

function EvidenceTable({ decision, zone }: { decision: Decision; zone: string }) {
  if (decision.evidence.length === 0) return <p class="warn">{t("evidence.none")}</p>;
  return (
    <section>
      <h3>{t("evidence.title")}</h3>
      <div class="scroll" tabIndex={0} role="region" aria-label={t("evidence.title")}>
        <table class="stacks">
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
                <th scope="row" title={one.agency}>{say(one.title) || one.agency}</th>
                <td class="number" title={dayAndClock(one.newest_s, zone)} data-label={t("evidence.age")}>{duration(one.age_s)}</td>
                <td class="number" data-label={t("evidence.missing")}>{percent(one.missing, 1)}</td>
                <td class="number" data-label={t("evidence.leakage")}>{one.leakage === null ? t("evidence.not_measured") : number(one.leakage, 2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Answers({ decision, zone }: { decision: Decision; zone: string }) {
  if (decision.answers.length === 0) return null;
  return (
    <ol class="history">
      {decision.answers.map((one, i) => (
        <li key={i}>
          <time>{dayAndClock(one.at_s, zone)}</time> <b>{word("answer", one.answer)}</b> <span class="quiet">{one.who}</span> {one.comment}
        </li>
      ))}
    </ol>
  );
}
