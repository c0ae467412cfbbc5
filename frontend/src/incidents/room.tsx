/** An incident's room: entries, tasks, who saw what, and a map to draw on. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, send } from "../api/client";
import type { AgencyName, Entry, EntryKind, Incident, Role } from "../api/types";
import { city, incident, incidentId, incidents, mayAct } from "../state/city";
import { say, t, word } from "../words";
import { clock, dayAndClock } from "../words/format";
import { useAction } from "../shell/action";
import { Failure } from "../shell/failure";
import { Icon } from "../shell/icon";
import { RoomMap } from "./room_map";
import { agencyNamed, newest, readers, tasks } from "./records";

export function IncidentRoom({ id }: { id: string }) {
  useEffect(() => {
    incident.data.value = null;
    incidentId.value = id;
    void incident.load();
    return () => {
      incidentId.value = null;
    };
  }, [id]);
  const room = incident.data.value;
  useSeen(room);
  const post = useAction<Incident>(kept);
  if (!room || String(room.id) !== id) return <div class="page"><Failure error={incident.error.value} /></div>;
  const may = mayAct.value && room.closed_s === null;
  const add: Add = (kind, more) =>
    post.act(`${pathOf(id)}/entries`, { kind, text: "", geometry: null, task: null, roles: [], agency: "", ...more });
  return (
    <div class="page">
      <div class="page-bar">
        <h1>{room.title}</h1>
        <span class={`pill ${room.closed_s === null ? "open" : "closed"}`}>
          {room.closed_s === null ? t("incidents.is_open") : t("incidents.closed", { time: dayAndClock(room.closed_s) })}
        </span>
        <a href="#/incidents">{t("incidents.all")}</a>
      </div>
      {room.agencies.length > 0 && <p id="concerned">{t("room.agencies")} <AgencyPills agencies={room.agencies} /></p>}
      <Failure error={post.error ?? incident.error.value} />
      <div class="room">
        <section class="room-log" aria-label={t("room.entries")}>
          <h2>{t("room.entries")}</h2>
          <ol class="entries" id="entries" aria-live="polite">
            {room.entries.filter((one) => one.kind !== "open").map((one) => <EntryLine entry={one} key={one.seq} />)}
          </ol>
          {room.entries.every((one) => one.kind === "open") && <p class="quiet">{t("room.empty")}</p>}
          {may && <Write busy={post.busy} add={add} />}
        </section>
        <div class="room-side">
          <Tasks room={room} may={may} busy={post.busy} add={add} />
          <Readers room={room} />
          <RoomMap room={room} may={may} draw={(geometry, text) => add("drawing", { geometry, text })} />
          {may && (
            <button type="button" id="close-incident" disabled={post.busy} onClick={() => void add("close", {})}>
              {t("room.close")}
            </button>
          )}
        </div>
      </div>
    </div>
  );
}

const pathOf = (id: string | number) => `/api/incidents/${encodeURIComponent(String(id))}`;

function kept(answer: Incident): void {
  incident.data.value = answer;
  incidents.refresh();
}

/** Says once for each newest entry that this person, of whatever role, has it on the screen. */
function useSeen(room: Incident | null): void {
  const last = room ? newest(room) : null;
  const me = city.data.value?.user.name;
  useEffect(() => {
    if (!room || last === null || !me) return;
    if ((readers(room).get(me)?.upTo ?? -1) >= last) return;
    const own = room.entries.find((one) => one.seq === last)?.who === me;
    if (own || document.visibilityState === "hidden") return;
    send<Incident>("POST", `${pathOf(room.id)}/seen`, { entry: last }).then(
      kept,
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error; // not kept as seen; the banner says why
      },
    );
  }, [room?.id, last, me]);
}

function EntryLine({ entry }: { entry: Entry }) {
  return (
    <li class={`entry ${entry.kind}`}>
      <p class="quiet">
        <time>{dayAndClock(entry.at_s)}</time> · <b>{entry.who}</b> ({word("role", entry.role)}) · {word("entry", entry.kind)}
        {" "}
        {entry.roles.length > 0 && <span class="pill">{t("room.only_for", { roles: entry.roles.map((one) => word("role", one)).join(", ") })}</span>}
      </p>
      {entry.text && <p>{entry.text} {entry.agency && <AgencyPills agencies={[entry.agency]} />}</p>}
      {entry.seen_by.length > 0 && (
        <p class="quiet seen-by">
          {t("room.seen_by", {
            who: entry.seen_by.map((one) => `${one.who} (${word("role", one.role)}) ${clock(one.at_s)}`).join(", "),
          })}
        </p>
      )}
    </li>
  );
}

type Sent = Partial<Pick<Entry, "text" | "geometry" | "task" | "roles">> & { agency?: string };
type Add = (kind: EntryKind, more: Sent) => Promise<boolean>;

export function AgencyPills({ agencies }: { agencies: AgencyName[] }) {
  return <>{agencies.map((one) => <span class="pill agency" key={one.name}>{say(one.title) || one.name}</span>)}</>;
}

function Write({ busy, add }: { busy: boolean; add: Add }) {
  const words = useSignal("");
  const role = useSignal<Role | "">("");
  const agency = useSignal("");
  const known = city.data.value?.agencies ?? [];
  const write = async (kind: EntryKind) => {
    const text = words.value.trim();
    const to = kind === "task" ? agencyNamed(agency.value, known) : "";
    if (!text || !(await add(kind, { text, agency: to, roles: role.value ? [role.value] : [] }))) return;
    words.value = "";
    if (kind === "task") agency.value = "";
  };
  return (
    <form
      class="ask"
      onSubmit={(event) => {
        event.preventDefault();
        void write("note");
      }}
    >
      <label class="grow">
        {t("room.write")}
        <textarea name="entry" rows={2} maxLength={4000} value={words.value} onInput={(event) => (words.value = event.currentTarget.value)} />
      </label>
      <label>
        {t("room.for")}
        <select name="for" value={role.value} onChange={(event) => (role.value = event.currentTarget.value as Role | "")}>
          <option value="">{t("room.for_all")}</option>
          {(["operator", "analyst"] as const).map((one) => <option value={one} key={one}>{word("role", one)}</option>)}
        </select>
      </label>
      <label>
        {t("room.task_for")}
        <input name="agency" list="agencies" maxLength={200} value={agency.value} placeholder={t("room.no_agency")} onInput={(event) => (agency.value = event.currentTarget.value)} />
        <datalist id="agencies">{known.map((one) => <option value={say(one.title) || one.name} key={one.name} />)}</datalist>
      </label>
      <div class="buttons">
        <button type="submit" class="primary" disabled={busy}>{t("room.add_note")}</button>
        <button type="button" disabled={busy} onClick={() => void write("task")}>{t("room.add_task")}</button>
      </div>
    </form>
  );
}

function Tasks({ room, may, busy, add }: { room: Incident; may: boolean; busy: boolean; add: Add }) {
  const all = tasks(room);
  return (
    <section class="card" aria-label={t("room.tasks")}>
      <h2>{t("room.tasks")}</h2>
      {all.length === 0 && <p class="quiet">{t("room.no_tasks")}</p>}
      <ul class="tasks" id="tasks">
        {all.map(({ task, done }) => (
          <li key={task.seq} class={done ? "done" : ""}>
            <span class="grow">
              {task.text} {task.agency && <AgencyPills agencies={[task.agency]} />}
              <small class="quiet">{done ? t("room.done_by", { who: done.who, time: clock(done.at_s) }) : task.who}</small>
            </span>
            {done ? <Icon name="check" /> : may && (
              <button type="button" disabled={busy} onClick={() => void add("done", { task: task.seq })}>{t("room.done")}</button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Readers({ room }: { room: Incident }) {
  const last = newest(room);
  const all = [...readers(room)];
  return (
    <section class="card" aria-label={t("room.readers")}>
      <h2>{t("room.readers")}</h2>
      {all.length === 0 && <p class="quiet">{t("room.no_readers")}</p>}
      <ul class="lines" id="readers">
        {all.map(([who, { upTo, at }]) => (
          <li key={who}>
            <b>{who}</b>{" "}
            <span class="quiet">
              {last !== null && upTo >= last ? t("room.saw_all", { time: clock(at) }) : t("room.saw_part", { time: clock(at) })}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
