/** The shift's hand-over: what happened, what is open, and notes for who comes next. */
import { signal, useSignal, useSignalEffect } from "@preact/signals";
import { ApiError, get } from "../api/client";
import type { Handover, Note } from "../api/types";
import { handoverPath, incidents, mayAct, nowS } from "../state/city";
import { noteCount } from "../state/live";
import { t, word } from "../words";
import { dayAndClock, duration } from "../words/format";
import { useAction } from "../shell/action";
import { Failure } from "../shell/failure";
import { AlarmLine } from "../alarms/alarm_line";
import { DecisionLine } from "../decisions/decision_line";
import { IncidentLine } from "../incidents/incident_line";
import { SourceTable } from "../agencies/sources";

const hours = signal(8);

const LEAST_GAP_MS = 400;

/** The newest answer, whole: its figures and its lists are of one moment. */
const handover = signal<Handover | null>(null);
const failure = signal<ApiError | null>(null);
let busy = false;
let again = false;

/** Fetch it; calls while one is under way become one more. */
async function load(): Promise<void> {
  again = busy;
  if (busy) return;
  busy = true;
  try {
    do {
      again = false;
      handover.value = await get<Handover>(handoverPath(nowS.peek() - hours.peek() * 3600));
      failure.value = null;
      if (again) await new Promise((done) => setTimeout(done, LEAST_GAP_MS));
    } while (again);
  } catch (raised) {
    if (!(raised instanceof ApiError)) throw raised;
    failure.value = raised;
  } finally {
    busy = false;
  }
}

export function HandoverPage() {
  useSignalEffect(() => {
    noteCount.value;
    hours.value;
    void load();
  });
  const shown = handover.value;
  const openIncidents = (incidents.data.value ?? []).filter((one) => one.closed_s === null);
  const left = shown?.open ?? { alarms: [], decisions: [] };
  const open = left.alarms.length + left.decisions.length + openIncidents.length;
  return (
    <div class="page">
      <div class="page-bar">
        <h1>{t("nav.handover")}</h1>
        <label class="choice">
          <span>{t("handover.shift")}</span>
          <select value={String(hours.value)} onChange={(event) => (hours.value = Number(event.currentTarget.value))}>
            {[4, 8, 12, 24].map((one) => <option value={String(one)} key={one}>{duration(one * 3600)}</option>)}
          </select>
        </label>
        <button type="button" onClick={() => print()}>{t("handover.print")}</button>
      </div>
      <Failure error={failure.value} />
      {shown && (
        <>
          <p class="quiet">{t("handover.span", { since: dayAndClock(shown.since_s), until: dayAndClock(shown.until_s) })}</p>
          <dl class="figures">
            {(["opened", "closed", "open"] as const).map((one) => (
              <Figure label={t(`handover.alarms_${one}`)} value={shown.alarms[one]} key={one} />
            ))}
            {(["made", "confirmed", "rejected", "waiting"] as const).map((one) => (
              <Figure label={t(`handover.decisions_${one}`)} value={shown.decisions[one]} key={one} />
            ))}
          </dl>
        </>
      )}
      <section>
        <h2>{t("handover.open")}</h2>
        <ul class="lines">
          {left.alarms.map((one) => <AlarmLine alarm={one} key={one.id} />)}
          {left.decisions.map((one) => <DecisionLine decision={one} key={one.id} />)}
          {openIncidents.map((one) => <li key={`incident-${one.id}`}><IncidentLine incident={one} /></li>)}
        </ul>
        {shown && open === 0 && <p class="quiet">{t("handover.nothing_open")}</p>}
      </section>
      {shown && shown.answers.length > 0 && (
        <section>
          <h2>{t("handover.answers")}</h2>
          <ol class="history">
            {shown.answers.map((one, i) => (
              <li key={i}>
                <time>{dayAndClock(one.at_s)}</time> <b>{word("answer", one.answer)}</b> <span class="quiet">{one.who}</span> {one.comment}
              </li>
            ))}
          </ol>
        </section>
      )}
      <Notes notes={shown?.notes ?? []} />
      {shown && (
        <section>
          <h2>{t("nav.agencies")}</h2>
          <SourceTable sources={shown.sources} />
        </section>
      )}
    </div>
  );
}

function Figure({ label, value }: { label: string; value: number }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Notes({ notes }: { notes: Note[] }) {
  const words = useSignal("");
  const { act, busy, error } = useAction<Note>(() => {
    words.value = "";
    noteCount.value += 1;
  });
  return (
    <section>
      <h2>{t("handover.notes")}</h2>
      {notes.length === 0 && <p class="quiet">{t("handover.no_notes")}</p>}
      <ol class="history" id="notes">
        {notes.map((one, i) => (
          <li key={i}><time>{dayAndClock(one.at_s)}</time> <span class="quiet">{one.who}</span> {one.text}</li>
        ))}
      </ol>
      {mayAct.value && (
        <form
          class="ask"
          onSubmit={(event) => {
            event.preventDefault();
            if (words.value.trim()) void act("/api/handover/notes", { text: words.value.trim() });
          }}
        >
          <label>
            {t("handover.write")}
            <textarea name="note" rows={3} maxLength={4000} value={words.value} onInput={(event) => (words.value = event.currentTarget.value)} />
          </label>
          <button type="submit" class="primary" disabled={busy}>{t("handover.add")}</button>
        </form>
      )}
      <Failure error={error} />
    </section>
  );
}
