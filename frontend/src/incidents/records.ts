/** What an incident's entries say, taken together. */
import type { AgencyName, Entry, Incident } from "../api/types";
import { say } from "../words";

/** The newest entry that is to be read. */
export function newest(room: Incident): number | null {
  return room.entries.at(-1)?.seq ?? null;
}

/** Up to which entry each person has read, and when; who writes has read what stands above. */
export function readers(room: Incident): Map<string, { upTo: number; at: number }> {
  const found = new Map<string, { upTo: number; at: number }>();
  const note = (who: string, upTo: number, at: number) => {
    if (upTo >= (found.get(who)?.upTo ?? 0)) found.set(who, { upTo, at });
  };
  for (const one of room.entries) {
    note(one.who, one.seq, one.at_s);
    for (const look of one.seen_by) note(look.who, one.seq, look.at_s);
  }
  return found;
}

export function tasks(room: Incident): { task: Entry; done: Entry | null }[] {
  return room.entries
    .filter((one) => one.kind === "task")
    .map((task) => ({
      task,
      done: room.entries.find((one) => one.kind === "done" && one.task === task.seq) ?? null,
    }));
}

/** The name of an agency by what a person wrote: a title in either language, a name, or any words. */
export function agencyNamed(words: string, known: AgencyName[]): string {
  const text = words.trim();
  const found = known.find((one) => [one.name, one.title.en, one.title.ko, say(one.title)].includes(text));
  return found?.name ?? text;
}

/** All that was drawn, as one collection of features. */
export function drawings(room: Incident): GeoJSON.Feature[] {
  return room.entries.flatMap((one): GeoJSON.Feature[] => {
    const shape = one.geometry;
    if (!shape) return [];
    if (shape.type === "FeatureCollection") return Array.isArray(shape.features) ? shape.features.filter((feature) => feature?.geometry) : [];
    if (shape.type === "Feature") return [shape];
    return [{ type: "Feature", properties: {}, geometry: shape }];
  });
}
