/** What an incident's entries say, taken together. */
import type { Entry, Incident } from "../api/types";

/** The newest entry that is to be read. */
export function newest(room: Incident): number | null {
  return room.entries.filter((one) => one.kind !== "seen").at(-1)?.seq ?? null;
}

/** Up to which entry each person has read, and when; who writes has read what stands above. */
export function readers(room: Incident): Map<string, { upTo: number; at: number }> {
  const found = new Map<string, { upTo: number; at: number }>();
  for (const one of room.entries) {
    const upTo = one.kind === "seen" ? (one.task ?? 0) : one.seq;
    if (upTo >= (found.get(one.who)?.upTo ?? 0)) found.set(one.who, { upTo, at: one.at_s });
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

/** All that was drawn, as one collection of features. */
export function drawings(room: Incident): GeoJSON.Feature[] {
  return room.entries.flatMap((one): GeoJSON.Feature[] => {
    const shape = one.geometry;
    if (!shape) return [];
    if (shape.type === "FeatureCollection") return shape.features;
    if (shape.type === "Feature") return [shape];
    return [{ type: "Feature", properties: {}, geometry: shape }];
  });
}
