/** The pages, their addresses and keys. */
import { computed, signal } from "@preact/signals";
import { city } from "../state/city";

export const PAGES = [
  "map", "alarms", "decisions", "services", "handover", "agencies", "intercity", "house", "incidents", "searches",
] as const;

export type Page = (typeof PAGES)[number];

const hash = signal(location.hash);
addEventListener("hashchange", () => (hash.value = location.hash));

/** Page and what is chosen on it, from the address: `#/incidents/i3`, `#/services/traffic`. */
export const route = computed<{ page: Page; rest: string | null }>(() => {
  const [, page = "", rest = ""] = hash.value.split("/");
  const known = PAGES.find((one) => one === page) ?? "map";
  let chosen: string | null = null;
  try {
    chosen = rest ? decodeURIComponent(rest) : null;
  } catch {
    chosen = null; // an address that is no text names nothing
  }
  return { page: known, rest: chosen };
});

/** Pages that this city and this person have: not every city searches for people. */
export const pages = computed<Page[]>(() =>
  PAGES.filter((one) => one !== "searches" || city.data.value?.searches === true),
);

export function go(page: Page): void {
  location.hash = `#/${page}`;
}
