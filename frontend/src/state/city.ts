/** The city and what is known of it now. */
import { computed, signal } from "@preact/signals";
import { query } from "../api/client";
import type {
  Alarm, City, Decision, Houses, Incident, InterCityMap, Now, Party, PartyNow, Source,
} from "../api/types";
import { Resource } from "./resource";

export const city = new Resource<City>(() => "/api/city");
export const now = new Resource<Now>(() => "/api/now");
/** Whether closed alarms are asked for too. */
export const withClosed = signal(false);

export const alarms = new Resource<Alarm[]>(
  () => `/api/alarms?state=${withClosed.value ? "all" : "open"}`,
);
export const decisions = new Resource<Decision[]>(() => "/api/decisions?limit=50");

/** The service whose page is open. */
export const serviceName = signal<string | null>(null);
export const serviceDecisions = new Resource<Decision[]>(() => {
  const service = serviceName.value;
  if (service === null) return null;
  const parties = (city.data.peek()?.parties ?? []).filter((one) => one.service === service).length;
  const limit = Math.min(500, Math.max(30, 5 * parties)); // some of each party
  return `/api/decisions?${query({ service, limit })}`;
});
export const sources = new Resource<Source[]>(() => "/api/sources");
export const interCity = new Resource<InterCityMap>(() => "/api/map");
/** The party whose house is looked at; null: the first. */
export const houseOf = signal<string | null>(null);
export const house = new Resource<Houses>(() =>
  houseOf.value === null ? "/api/house" : `/api/house?${query({ party: houseOf.value })}`,
);
export const incidents = new Resource<Incident[]>(() => "/api/incidents");

export const incidentId = signal<string | null>(null);
export const incident = new Resource<Incident>(() =>
  incidentId.value === null ? null : `/api/incidents/${encodeURIComponent(incidentId.value)}`,
);

export const ALL: Resource<unknown>[] = [
  city, now, alarms, decisions, serviceDecisions, sources, interCity, house, incidents, incident,
] as Resource<unknown>[];

/** The node's newest time, from its clock events. */
export const nowS = signal(0);
/** Seconds of this browser since then. */
export const sinceNowS = signal(0);

/** The city's time: live, it goes on while nothing comes; a replay waits for its node. */
export const cityNowS = computed(() =>
  city.data.value?.mode === "live" ? nowS.value + Math.floor(sinceNowS.value) : nowS.value,
);

export const partyKey = signal<string | null>(null);

export function keyOf(party: { service: string; party: string }): string {
  return `${party.service} ${party.party}`;
}

export const party = computed<Party | null>(() => {
  const all = city.data.value?.parties ?? [];
  return all.find((one) => keyOf(one) === partyKey.value) ?? all[0] ?? null;
});

export const partyNow = computed<PartyNow | null>(() => {
  const shown = party.value;
  const all = now.data.value?.parties ?? [];
  return all.find((one) => shown !== null && keyOf(one) === keyOf(shown)) ?? null;
});

/** Whether a party's first forecast is still being made: it has rows, no forecast, and no reason why. */
export function waitsForFirst(one: PartyNow): boolean {
  return one.origin_s === null && one.gap === null && one.newest_s !== null;
}

/** Whether parties have begun whose places the city did not tell yet. */
export const unknownParties = computed(() => {
  const known = new Set((city.data.value?.parties ?? []).map(keyOf));
  return (now.data.value?.parties ?? []).some((one) => !known.has(keyOf(one)));
});

export const mayAct = computed(() => {
  const role = city.data.value?.user.role;
  return role === "operator" || role === "admin";
});

/** Closed ones last, critical before warning, newest first: acknowledging moves nothing. */
export const sortedAlarms = computed(() =>
  [...(alarms.data.value ?? [])].sort(
    (a, b) =>
      Number(a.state === "closed") - Number(b.state === "closed") ||
      Number(b.severity === "critical") - Number(a.severity === "critical") ||
      b.since_s - a.since_s,
  ),
);

export const openAlarms = computed(() =>
  sortedAlarms.value.filter((one) => one.state !== "closed"),
);

/** Decisions whose own end has passed since the node sent them, as a text: it changes only with them. */
const ended = computed(() =>
  [decisions, serviceDecisions]
    .flatMap(({ data }) => data.value ?? [])
    .filter((one) => one.status === "waiting" && hasEnded(one, cityNowS.value))
    .map((one) => one.id)
    .join(" "),
);

function hasEnded({ valid_until_s }: Decision, time: number): boolean {
  return valid_until_s !== null && valid_until_s <= time;
}

/** As the node would send them now: nothing comes from it when one ends, or while it is busy. */
function asOfNow({ data }: Resource<Decision[]>): Decision[] {
  const over = new Set(ended.value.split(" "));
  return (data.value ?? []).map((one) =>
    one.status === "waiting" && over.has(String(one.id)) ? { ...one, status: "expired" as const } : one,
  );
}

export const decisionsNow = computed(() => asOfNow(decisions));
export const serviceDecisionsNow = computed(() => asOfNow(serviceDecisions));

export const waitingDecisions = computed(() =>
  decisionsNow.value.filter((one) => one.status === "waiting"),
);

/** Puts a decision, as the node answered, where it is shown. */
export function keepAnswered(answered: Decision): void {
  for (const { data } of [decisions, serviceDecisions]) {
    data.value = data.value?.map((one) => (one.id === answered.id ? answered : one)) ?? null;
  }
}

/** What a party or an agency is called, in the languages that the city gives. */
export function partyOf(service: string, name: string): Party | undefined {
  return city.data.value?.parties.find((one) => one.service === service && one.party === name);
}

export function handoverPath(since: number): string {
  return `/api/handover?${query({ since })}`;
}
