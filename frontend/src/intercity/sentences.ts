/** What a party's records come to, in words. */
import type { MapParty } from "../api/types";
import { t, word } from "../words";
import { dayAndClock } from "../words/format";

const SAME_WITHIN = 0.005; // as in reports: less than this no run of one seed can tell

/** How a change is coloured; within `SAME_WITHIN` it is no difference. */
export function toneOf(change: number | null): "worse" | "same" | "better" {
  if (change === null || Math.abs(change) < SAME_WITHIN) return "same";
  return change > 0 ? "worse" : "better";
}

/** When it last took part in the rounds; empty where that is not recorded. */
export function tookPart(party: MapParty): string {
  const rounds = party.rounds;
  if (!rounds) return "";
  if (!rounds.last) return t("intercity.never_took_part");
  const when = rounds.at_s === null ? "" : `, ${dayAndClock(rounds.at_s)}`;
  if (rounds.by === "site") return `${t("intercity.own_round", { last: rounds.last })}${when}`;
  return `${t("intercity.round", { last: rounds.last, done: rounds.done })}${when}`;
}

/** What the best attack guessed back from each layer, of 1; empty where none was tried. */
export function leakageOf(party: MapParty): string {
  return (party.leakage ?? []).map(({ layer, r2 }) => `${word("leak", layer)} ${r2.toFixed(2)}`).join(" · ");
}

/** Why it is silent, or was left out. */
export function noted(party: MapParty): string[] {
  const found: string[] = [];
  if (party.records_silent_since_s !== null) {
    found.push(t("intercity.records_silent", { time: dayAndClock(party.records_silent_since_s) }));
  }
  const rounds = party.rounds;
  if (rounds?.left_out) found.push(t(`intercity.left_out_${rounds.left_out}`, { reason: rounds.reason }));
  return found;
}
