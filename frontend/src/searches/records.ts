/** What the node answers of searches for a person; all times are UTC seconds. */
import { signal } from "@preact/signals";
import type { Place, Text } from "../api/types";
import { Resource } from "../state/resource";

export type CaseState = "waiting" | "open" | "over" | "closed";
export type HitVerdict = "none" | "confirmed" | "rejected";

export interface SearchService {
  name: string;
  title: Text;
  question: Text;
  approvals: number;
  warrant: boolean;
  most_hours: number;
  back_hours: number;
}

/** A case without whom it looks for. */
export interface CaseSummary {
  id: string;
  digest: string;
  /** Changes with the case: it is looked at anew only then, for each look is recorded. */
  version: string;
  state: CaseState;
  title: Text;
  purpose: string;
  cities: string[];
  opened_by: string;
  opened_s: number;
  since_s: number;
  until_s: number;
  approved_by: string[];
  approvals_needed: number;
  warrant_needed: boolean;
  warrants: number;
  search_every_s: number;
}

export interface Cases {
  now_s: number;
  person: string;
  city: string;
  cities: string[];
  services: SearchService[];
  colours: string[];
  purposes: string[];
  /** Of the own city. */
  cameras: Place[];
  cases: CaseSummary[];
}

export interface CameraSpot {
  place: string;
  /** Null: not known here. */
  lat: number | null;
  lon: number | null;
}

export interface CaseHit {
  city: string;
  camera: string;
  time_s: number;
  score: number;
  verdict: HitVerdict;
  /** That it is the person; null: rejected, or by a camera of no known place. */
  probability: number | null;
  lat: number | null;
  lon: number | null;
}

export interface PersonWords {
  pictures: number;
  network: string;
  height_m: [number, number] | null;
  upper: string[];
  lower: string[];
}

/** What is left out is not told of a closed case. */
export interface Case extends CaseSummary {
  file: string;
  keys: string[];
  query?: PersonWords;
  last_seen?: { lat: number; lon: number; at_s: number };
  hits?: CaseHit[];
  path?: (CameraSpot & { time_s: number })[];
  watch?: (CameraSpot & { share: number })[];
  ask?: { city: string; share: number }[];
  silent?: string[];
  searched?: boolean;
  sentences?: Text[];
  /** Cities that could not be told that it is closed. */
  unreached?: string[];
}

export const LIST_EVERY_MS = 5_000;

export const cases = new Resource<Cases>(() => "/api/cases");

export const caseId = signal<string | null>(null);
export const shownCase = new Resource<Case>(() =>
  caseId.value === null ? null : `/api/cases/${encodeURIComponent(caseId.value)}`,
);

export const placeOf = (hit: CaseHit): string => `${hit.city}/${hit.camera}`;
