/** What the node answers; all times are UTC seconds, null is "not measured" or "not known". */

export type Language = "en" | "ko";
export type Text = Record<Language, string>;
export type Role = "operator" | "analyst" | "auditor" | "admin";
export type Status = "fresh" | "late" | "silent" | "waiting" | "in-doubt";
export type Level = "alone" | "stem" | "h1" | "h2" | "h3" | "h4" | "h5" | "head" | "";

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
  /** Of cells of a grid: each one's corners, longitude and latitude in turn. */
  outlines?: (number[] | null)[] | null;
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
  /** Those that a task can be given to by name. */
  agencies: AgencyName[];
  /** Whether it searches for people, and this person may see that. */
  searches?: boolean;
}

export interface AgencyName {
  name: string;
  title: Text;
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
  /** What its forecaster last learned from new days; null: nothing yet. */
  update?: Update | null;
}

/** Errors are of the newest days, before and after. */
export interface Update {
  at_s: number;
  outcome: "refined" | "kept" | "nothing new" | "problem";
  before?: number | null;
  after?: number | null;
  unit: string;
  text: Text;
}

export interface Now {
  now_s: number;
  /** Since when a first forecaster learns, seconds since 1970 by the server's clock; null: none does. */
  first_learning_since_s?: number | null;
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

/** About one place, or about all where `place` is empty. */
export interface Reason extends Coded {
  place: string;
}

export interface Action extends Coded {
  place: string | null;
  at_s: number | null;
  /** Of a way to drive: the places passed, and those of the way that it replaces. */
  route: string[];
  usual_route: string[];
}

export interface Evidence {
  agency: string;
  title?: Text;
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
  actions: Action[];
  reasons: Reason[];
  evidence: Evidence[];
  band: number | null;
  answers: Answer[];
  outcome: { text: Text; numbers: Record<string, number | null> } | null;
}

/** Made for who asked, and kept nowhere. */
export interface Plan extends Omit<Decision, "id"> {
  id: null;
  /** How many steps ahead a request may lie. */
  steps: number;
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
  /** Which alarm of the same place took its place: a worse one, or another; empty: none. */
  replaced?: "" | "worse" | "other";
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
  /** How the data check of its records went, and when. */
  check?: { state: "never" | "done" | "failed" | "elsewhere"; text: Text };
  /** Of deep data that an agency's own process sends; its rows are not here. */
  deep?: { service: string; party: string; layer: string; width: number } | null;
}

export interface MapParty {
  city: string;
  agency: string;
  party: string;
  title: Text;
  service: string;
  newcomer: boolean;
  /** Its records or its answers in the rounds are missing. */
  silent: boolean;
  records_silent_since_s: number | null;
  /** That its forecaster uses; empty: not known here. */
  level: Level;
  /** What set it: accuracy, a leakage limit or a grant. */
  set_by?: Text | null;
  /** Those that left it in training. */
  layers: Level[];
  /** R² of the best attack on each layer, the forecast alone last; empty: not audited. */
  leakage?: { layer: string; r2: number }[];
  stem: "private" | "shared";
  granted_to: Level;
  /** Of its error against learning alone; below 0 is better. */
  change: number | null;
  sent_bytes: number | null;
  received_bytes: number | null;
  /** Null: not recorded. */
  rounds: RoundsPart | null;
}

/** When a party last took part in the rounds of training. */
export interface RoundsPart {
  /** 0: never yet. */
  last: number;
  done: number;
  at_s: number | null;
  left_out: "" | "silent" | "refused";
  reason: string;
  by: "coordinator" | "site";
}

export interface CutAgency {
  agency: string;
  title: Text;
  /** The layer whose activations leave. */
  layer: Level;
  granted_from: Level;
  /** Numbers for each of `cells` and time. */
  width: number;
  cells: number;
  sent_bytes: number;
  received_bytes: number;
  /** Of the party's error against alone, with this agency missing. */
  change_without: number | null;
  failed: string;
  silent: boolean;
  newest_s: number | null;
}

/** A party whose city's agencies give its application a hidden layer. */
export interface VerticalPart {
  service: string;
  title: Text;
  city: string;
  party: string;
  party_title: Text;
  mode: string;
  level: Level;
  labels_stay: boolean;
  change: number | null;
  agencies: CutAgency[];
}

export interface InterCityMap {
  cities: { name: string; title: Text }[];
  services: { name: string; title: Text }[];
  parties: MapParty[];
  vertical: VerticalPart[];
  /** Files that could not be read. */
  unread: { file: string; reason: string }[];
}

/** What has left a party: one kind of releases. */
export interface HouseRow {
  what: Text;
  leakage: Text;
  receiver: Text;
  purpose: Text;
  grant: Text;
  times: string;
  bytes: string;
}

/** What never leaves a party, and what has. */
export interface House {
  party: string;
  title: Text;
  never: Text;
  more: Text[];
  rows: HouseRow[];
  /** Its ledger is not read to the end yet: asked again, it goes on. */
  reading: boolean;
}

export interface Houses {
  parties: { party: string; title: Text }[];
  house: House | null;
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
  /** What the figures above count as left to do, of the same moment. */
  open: { alarms: Alarm[]; decisions: Decision[] };
}

export type EntryKind = "open" | "task" | "note" | "drawing" | "done" | "close";

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
  /** Whom a task was given to. */
  agency: AgencyName | null;
  /** Who has looked since, each at the first time. */
  seen_by: { who: string; role: Role; at_s: number }[];
}

export interface Incident {
  id: number;
  title: string;
  opened_s: number;
  closed_s: number | null;
  who: string;
  /** Of what it is about, and those that tasks were given to. */
  agencies: AgencyName[];
  entries: Entry[];
}

export interface Refusal {
  value: string;
  reason: string;
  next: string;
}
