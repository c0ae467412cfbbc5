/** The pages, their addresses and keys. */
import { computed, signal } from "@preact/signals";

export const PAGES = [
  "map", "alarms", "decisions", "services", "handover", "agencies", "intercity", "house", "incidents",
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

export function go(page: Page): void {
  location.hash = `#/${page}`;
}
