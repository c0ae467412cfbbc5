/** The city and what is known of it now. */
import { computed, signal } from "@preact/signals";
import { query } from "../api/client";
import type {
  Alarm, City, Decision, Incident, InterCityMap, Now, Party, PartyNow, Source,
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
export const sources = new Resource<Source[]>(() => "/api/sources");
export const interCity = new Resource<InterCityMap>(() => "/api/map");
export const incidents = new Resource<Incident[]>(() => "/api/incidents");

export const incidentId = signal<string | null>(null);
export const incident = new Resource<Incident>(() =>
  incidentId.value === null ? null : `/api/incidents/${encodeURIComponent(incidentId.value)}`,
);

export const ALL: Resource<unknown>[] = [
  city, now, alarms, decisions, sources, interCity, incidents, incident,
] as Resource<unknown>[];

/** The node's newest time, from its clock events. */
export const nowS = signal(0);

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

export const waitingDecisions = computed(() =>
  (decisions.data.value ?? []).filter((one) => one.status === "waiting"),
);

/** What a party or an agency is called, in the languages that the city gives. */
export function partyOf(service: string, name: string): Party | undefined {
  return city.data.value?.parties.find((one) => one.service === service && one.party === name);
}

export function handoverPath(since: number): string {
  return `/api/handover?${query({ since })}`;
}
