/** What a report has inlined of its `results.json`, with the sentences of its decisions. */
import type { Action, Decision, Reason, Series, Text } from "../api/types";

/** Of `results.json`: times are UTC seconds, null is "not measured" or "not granted". */
export interface ExampleForecast {
  place: string;
  time_zone: string;
  times: number[];
  truth: (number | null)[] | null;
  forecast: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  alone: (number | null)[];
}

export interface ShownDecision {
  actions: Action[];
  reasons: Reason[];
  certainty: number;
  valid_until_s: number;
  at_s: number;
  confirm: Decision["confirm"];
  /** It in one or two words. */
  state: Text;
  warns: boolean;
}

export interface ShownParty {
  title: Text;
  unit: string;
  step_s: number;
  forecast: ExampleForecast | null;
  decision: ShownDecision | null;
}

export interface Inlined {
  services: { parties: (ShownParty | null)[] }[];
}

export function read(id: string): Inlined | null {
  const text = document.getElementById(id)?.textContent;
  return text ? (JSON.parse(text) as Inlined) : null;
}

/** `0.3` is the fourth party of the first service. */
export function partyAt(all: Inlined, key: string): ShownParty | null {
  const [service, party] = key.split(".").map(Number);
  return all.services[service ?? -1]?.parties[party ?? -1] ?? null;
}

export function seriesOf(kept: ExampleForecast, step_s: number): Series {
  const { place, times, truth, forecast, low, high } = kept;
  return {
    place, step_s,
    measured: { time: truth ? times : [], value: truth ?? [] },
    forecast: { origin_s: times[0] ?? 0, time: times, value: forecast, low, high },
  };
}

/** The same forecast by learning alone. */
export function aloneOf({ times, alone, low, high }: ExampleForecast): Series["forecast"] {
  return { origin_s: times[0] ?? 0, time: times, value: alone, low, high };
}

export function decisionOf(shown: ShownDecision, party: string): Decision {
  return {
    ...shown, id: 0, service: "", party, task: "", status: "advice", evidence: [], band: null,
    answers: [], outcome: null,
  };
}

/** The zone, or UTC where this browser does not know it. */
export function knownZone(name: string): string {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return name;
  } catch {
    return "UTC";
  }
}
