/** What the node answers; all times are UTC seconds, null is "not measured" or "not known". */

export type Language = "en" | "ko";
export type Text = Record<Language, string>;
export type Role = "operator" | "analyst" | "auditor" | "admin";
export type Status = "fresh" | "late" | "silent" | "waiting";
export type Level = "alone" | "h1" | "h2" | "h3" | "h4" | "h5" | "head" | "";

export interface Place {
  id: string;
  lat: number | null;
  lon: number | null;
  capacity: number | null;
}

export interface Party {
  service: string;
  party: string;
  agency: string;
  title: Text;
  field: string;
  kind: string;
  unit: string;
  step_s: number;
  /** Steps ahead. */
  horizon: number;
  places: Place[];
}

export interface Service {
  name: string;
  application: string;
  task: string;
  title: Text;
  question: Text;
  decision: Text;
}

export interface City {
  name: string;
  title: Text;
  time_zone: string;
  mode: "live" | "replay";
  /** Null: as fast as it can. */
  speed: number | null;
  now_s: number;
  user: { name: string; role: Role };
  services: Service[];
  parties: Party[];
}

export interface PartyNow {
  service: string;
  party: string;
  status: Status;
  /** End of the newest measured step; a forecast's origin is the start of its first one. */
  newest_s: number | null;
  lag_s: number | null;
  origin_s: number | null;
  made_s: number | null;
  gap: { code: string; text: Text } | null;
}

export interface Now {
  now_s: number;
  parties: PartyNow[];
}

export type Values = (number | null)[];

export interface Frame {
  /** Start of the step. */
  time_s: number;
  kind: "measured" | "forecast" | "none";
  origin_s: number | null;
  value: Values;
  low: Values | null;
  high: Values | null;
}

export interface Series {
  place: string;
  step_s: number;
  measured: { time: number[]; value: Values };
  forecast: { origin_s: number; time: number[]; value: Values; low: Values; high: Values } | null;
}

export interface Coded {
  code: string;
  numbers: Record<string, number | null>;
  text: Text;
}

export interface Evidence {
  agency: string;
  newest_s: number | null;
  age_s: number | null;
  missing: number | null;
  leakage: number | null;
}

export interface Answer {
  who: string;
  answer: "confirm" | "reject" | "undo";
  at_s: number;
  comment: string;
  decision?: number;
}

export type DecisionStatus =
  | "advice" | "waiting" | "confirmed" | "rejected" | "expired" | "replaced";

export interface Decision {
  id: number;
  service: string;
  party: string;
  at_s: number;
  valid_until_s: number | null;
  task: string;
  confirm: "nobody" | "operator" | "authority";
  certainty: number | null;
  status: DecisionStatus;
  actions: (Coded & { place: string | null; at_s: number | null })[];
  reasons: Coded[];
  evidence: Evidence[];
  band: number | null;
  answers: Answer[];
  outcome: { text: Text; numbers: Record<string, number | null> } | null;
}

export type Change = "acknowledge" | "assign" | "comment" | "escalate" | "close";

export interface Alarm {
  id: number;
  service: string;
  party: string;
  place: string | null;
  code: string;
  severity: "warning" | "critical";
  text: Text;
  since_s: number;
  last_s: number;
  over: boolean;
  state: "open" | "acknowledged" | "closed";
  assigned_to: string | null;
  escalated: boolean;
  history: { change: string; who: string; at_s: number; to: string; comment: string }[];
}

export interface Source {
  agency: string;
  title: Text;
  status: Status;
  newest_s: number | null;
  lag_s: number | null;
  rows: number | null;
  places: number | null;
  missing: number | null;
  doubts: Text[];
}

export interface MapParty {
  city: string;
  agency: string;
  party: string;
  title: Text;
  service: string;
  newcomer: boolean;
  silent: boolean;
  level: Level;
  granted_to: Level;
  gain: number | null;
  sent_bytes: number | null;
  received_bytes: number | null;
}

export interface InterCityMap {
  cities: { name: string; title: Text }[];
  services: { name: string; title: Text }[];
  parties: MapParty[];
}

export interface Note {
  who: string;
  at_s: number;
  text: string;
}

export interface Handover {
  since_s: number;
  until_s: number;
  alarms: { opened: number; closed: number; open: number };
  decisions: { made: number; confirmed: number; rejected: number; waiting: number };
  answers: Answer[];
  sources: Source[];
  notes: Note[];
}

export type EntryKind = "open" | "task" | "note" | "drawing" | "seen" | "done" | "close";

export interface Entry {
  seq: number;
  kind: EntryKind;
  who: string;
  role: Role;
  at_s: number;
  text: string;
  geometry: GeoJSON.GeoJSON | null;
  task: number | null;
  /** Roles that it is for; empty: everyone. */
  roles: Role[];
}

export interface Incident {
  id: number;
  title: string;
  opened_s: number;
  closed_s: number | null;
  who: string;
  entries: Entry[];
}

export interface Refusal {
  value: string;
  reason: string;
  next: string;
}
