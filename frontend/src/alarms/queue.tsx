/** The alarm queue: every change is one event of the node, with who and when. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Alarm, Change } from "../api/types";
import { alarms, mayAct, nowS, openAlarms, sortedAlarms, withClosed } from "../state/city";
import { say, t, word, type Key } from "../words";
import { dayAndClock, duration } from "../words/format";
import { useAction } from "../shell/action";
import { Failure } from "../shell/failure";
import { Icon } from "../shell/icon";
import { overWords, showOnMap } from "./alarm_line";

export function AlarmQueue() {
  const shown = withClosed.value ? sortedAlarms.value : openAlarms.value;
  return (
    <div class="page">
      <div class="page-bar">
        <h1>{t("nav.alarms")} <span class="count">{openAlarms.value.length}</span></h1>
        <label class="switch">
          <input
            type="checkbox"
            checked={withClosed.value}
            onChange={(event) => {
              withClosed.value = event.currentTarget.checked;
              alarms.refresh();
            }}
          />
          {t("alarms.show_closed")}
        </label>
      </div>
      <Failure error={alarms.error.value} />
      {shown.length === 0 && <p class="empty">{t("alarms.none")}</p>}
      <ul class="cards" id="alarm-queue">
        {shown.map((one) => <AlarmCard alarm={one} key={one.id} />)}
      </ul>
    </div>
  );
}

function AlarmCard({ alarm }: { alarm: Alarm }) {
  const own = `alarm-${alarm.id}`;
  return (
    <li>
      <article class={`card alarm ${alarm.severity} ${alarm.state}`} id={own} tabIndex={-1} data-alarm={alarm.id} aria-labelledby={`${own}-text`}>
        <header>
          <Icon name={alarm.severity} />
          <div class="grow">
            <h2 id={`${own}-text`}>{say(alarm.text)}</h2>
            <p class="quiet">
              {[word("severity", alarm.severity), alarm.service, alarm.party, alarm.place].filter(Boolean).join(" · ")} ·{" "}
              {t("alarms.since_at", { time: dayAndClock(alarm.since_s), age: duration(nowS.value - alarm.since_s) })}
            </p>
          </div>
          <span class={`pill ${alarm.state}`}>{word("alarm_state", alarm.state)}</span>
        </header>
        <p class="tags">
          {alarm.escalated && <span class="pill critical"><Icon name="up" />{t("alarms.escalated")}</span>}
          {alarm.over && <span class="pill">{overWords(alarm)}</span>}
          {alarm.assigned_to && <span class="pill">{t("alarms.assigned", { who: alarm.assigned_to })}</span>}
        </p>
        {mayAct.value && alarm.state !== "closed" && <Changes alarm={alarm} />}
        <p>
          <button type="button" class="link" onClick={() => showOnMap(alarm)}>{t("alarms.on_map")}</button>
        </p>
        <History alarm={alarm} />
      </article>
    </li>
  );
}

function Changes({ alarm }: { alarm: Alarm }) {
  const [asking, setAsking] = useState<Change | null>(null);
  const { act, busy, error } = useAction<Alarm>((answer) => {
    alarms.data.value = (alarms.data.value ?? []).map((one) => (one.id === answer.id ? answer : one));
    document.getElementById(`alarm-${answer.id}`)?.focus(); // its button may be gone: keys go on here
  });
  const path = `/api/alarms/${alarm.id}/changes`;
  const change = async (what: Change, words = "") => {
    const to = what === "assign" ? words : "";
    if (await act(path, { change: what, to, comment: what === "assign" ? "" : words })) setAsking(null);
  };
  const ask = (what: Change) => setAsking(asking === what ? null : what);
  return (
    <div>
      <div class="buttons">
        {alarm.state === "open" && (
          <button type="button" class="primary" data-change="acknowledge" disabled={busy} onClick={() => void change("acknowledge")}>
            <Icon name="check" /> {t("change.acknowledge")}
          </button>
        )}
        {(["assign", "comment", "escalate", "close"] as const)
          .filter((what) => what !== "escalate" || !alarm.escalated)
          .map((what) => (
            <button type="button" key={what} data-change={what} aria-expanded={asking === what} disabled={busy} onClick={() => ask(what)}>
              {t(`change.${what}`)}
            </button>
          ))}
      </div>
      {asking && <Ask what={asking} busy={busy} done={(words) => void change(asking, words)} key={asking} />}
      <Failure error={error} />
    </div>
  );
}

function Ask({ what, busy, done }: { what: Change; busy: boolean; done: (words: string) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const needed = what === "assign" || what === "comment";
  useLayoutEffect(() => field.current?.focus(), []);
  return (
    <form
      class="ask"
      onSubmit={(event) => {
        event.preventDefault();
        done(field.current?.value.trim() ?? "");
      }}
    >
      <label>
        {t(`ask.${what}` as Key)}
        <input ref={field} name="words" required={needed} autoComplete="off" maxLength={500} />
      </label>
      <button type="submit" class="primary" disabled={busy}>{t(`change.${what}`)}</button>
    </form>
  );
}

function History({ alarm }: { alarm: Alarm }) {
  return (
    <details>
      <summary>{t("alarms.history", { n: alarm.history.length })}</summary>
      <ol class="history">
        {alarm.history.map((one, i) => (
          <li key={i}>
            <time>{dayAndClock(one.at_s)}</time> <b>{one.change === "over" ? overWords(alarm) : word("change", one.change)}</b>
            {one.to && ` → ${one.to}`} {one.who && <span class="quiet">{one.who}</span>} {one.comment}
          </li>
        ))}
      </ol>
    </details>
  );
}
