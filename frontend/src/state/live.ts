/** The stream of events: keeps what is shown fresh, and says when it cannot. */
import { signal } from "@preact/signals";
import { loggedOut } from "../api/client";
import {
  ALL, alarms, city, decisions, incident, incidents, interCity, now, nowS, sources, unknownParties,
} from "./city";
import { refreshMoment } from "./moment";
import type { Resource } from "./resource";

export type Connection = "connecting" | "live" | "lost";

export const connection = signal<Connection>("connecting");
/** When the node last answered, in milliseconds of this browser's clock. */
export const heardAt = signal(Date.now());
/** When the next try begins, in the same; null while none is planned. */
export const retryAt = signal<number | null>(null);

const SILENCE_MS = 6_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

const REFRESHED: Record<string, Resource<unknown>[]> = {
  rows: [now] as Resource<unknown>[],
  forecast: [now] as Resource<unknown>[],
  decision: [decisions] as Resource<unknown>[],
  answer: [decisions] as Resource<unknown>[],
  alarm: [alarms] as Resource<unknown>[],
  source: [sources, now] as Resource<unknown>[],
  update: [interCity, sources] as Resource<unknown>[],
  note: [],
  incident: [incidents, incident] as Resource<unknown>[],
  node: [city, now] as Resource<unknown>[],
};

/** Grows with every event of its kind, for what is fetched elsewhere. */
export const noteCount = signal(0);

let stream: EventSource | null = null;
let wait = FIRST_WAIT_MS;
let timer: ReturnType<typeof setTimeout> | undefined;

export function connect(): void {
  clearTimeout(timer);
  stream?.close();
  retryAt.value = null;
  const opened = new EventSource("/api/stream");
  stream = opened;
  opened.onopen = () => connected(true);
  opened.onerror = () => {
    if (stream !== opened) return;
    lost();
    // A broken line is taken up again by the browser, from the last event's number. A refusal ends it.
    if (opened.readyState === EventSource.CLOSED) tryLater();
  };
  opened.addEventListener("clock", (event) => {
    connected(false);
    nowS.value = (JSON.parse(event.data) as { now_s: number }).now_s;
  });
  for (const [kind, kept] of Object.entries(REFRESHED)) {
    opened.addEventListener(kind, () => {
      connected(false);
      for (const resource of kept) resource.refresh();
      if (kind === "rows" || kind === "forecast") refreshMoment();
      if (kind === "rows" && unknownParties.value) city.refresh();
      if (kind === "note" || kind === "answer" || kind === "alarm") noteCount.value += 1;
    });
  }
}

function connected(opened: boolean): void {
  heardAt.value = Date.now();
  wait = FIRST_WAIT_MS;
  retryAt.value = null;
  if (connection.value === "live") return;
  const again = connection.value === "lost";
  connection.value = "live";
  if (again) refreshAll();
  // What came between the page's first questions and the stream; places stay what they were.
  else if (opened) for (const one of [now, alarms, decisions]) one.refresh();
}

function lost(): void {
  connection.value = "lost";
}

function tryLater(): void {
  stream?.close();
  if (loggedOut.value) return;
  clearTimeout(timer);
  retryAt.value = Date.now() + wait;
  timer = setTimeout(connect, wait);
  wait = Math.min(wait * 2, LONGEST_WAIT_MS);
}

/** All that is shown, fetched anew; what was missed in between is in it. */
export function refreshAll(): void {
  for (const resource of ALL) resource.refresh();
  refreshMoment();
}

/** Notices a line that is open but silent. */
export function watchSilence(): void {
  setInterval(() => {
    if (retryAt.value !== null || Date.now() - heardAt.value < SILENCE_MS) return;
    if (stream?.readyState === EventSource.CONNECTING) return;
    lost();
    tryLater();
  }, 1_000);
  addEventListener("offline", lost);
  addEventListener("online", connect);
}
