/** The stream of events: keeps what is shown fresh, and says when it cannot. */
import { effect, signal } from "@preact/signals";
import { loggedOut } from "../api/client";
import {
  ALL, alarms, city, decisions, incident, incidents, interCity, now, nowS, serviceDecisions, sinceNowS,
  sources, unknownParties,
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
const LONGEST_TRY_MS = 10_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

const REFRESHED: Record<string, Resource<unknown>[]> = {
  rows: [now] as Resource<unknown>[],
  forecast: [now] as Resource<unknown>[],
  decision: [decisions, serviceDecisions] as Resource<unknown>[],
  answer: [decisions, serviceDecisions] as Resource<unknown>[],
  alarm: [alarms] as Resource<unknown>[],
  source: [sources, now] as Resource<unknown>[],
  check: [sources] as Resource<unknown>[],
  update: [interCity, sources, now] as Resource<unknown>[],
  note: [],
  incident: [incidents, incident] as Resource<unknown>[],
  node: [city, now] as Resource<unknown>[],
};

/** Grows with every event of a shift, for what is fetched elsewhere. */
export const noteCount = signal(0);

let stream: EventSource | null = null;
let wait = FIRST_WAIT_MS;
let timer: ReturnType<typeof setTimeout> | undefined;
let triedAt = 0;

export function connect(): void {
  clearTimeout(timer);
  stream?.close();
  retryAt.value = null;
  triedAt = Date.now();
  const opened = new EventSource("/api/stream");
  stream = opened;
  opened.onopen = () => connected(true);
  opened.onerror = () => {
    // Tried again from here, not by the browser: a reader is to know when. All is fetched anew then.
    if (stream === opened) tryLater();
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
      if (kind === "note" || kind === "answer" || kind === "alarm" || kind === "decision") noteCount.value += 1;
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

function tryLater(): void {
  connection.value = "lost";
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
  noteCount.value += 1;
}

/** Tries at once, whatever was planned. */
export function tryNow(): void {
  wait = FIRST_WAIT_MS;
  connect();
}

/** Counts the seconds since the node last sent the city's time. */
export function runClock(): void {
  let received = Date.now();
  effect(() => {
    nowS.value;
    received = Date.now();
    sinceNowS.value = 0;
  });
  setInterval(() => (sinceNowS.value = (Date.now() - received) / 1000), 1_000);
}

/** Notices a line that is open but silent, and a try that comes to no end. */
export function watchSilence(): void {
  setInterval(() => {
    if (retryAt.value !== null || Date.now() - heardAt.value < SILENCE_MS) return;
    if (stream?.readyState === EventSource.CONNECTING && Date.now() - triedAt < LONGEST_TRY_MS) return;
    tryLater();
  }, 1_000);
  addEventListener("offline", tryLater);
  addEventListener("online", tryNow);
}
