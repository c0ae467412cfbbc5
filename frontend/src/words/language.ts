/** In which language the page speaks, and in which zone it writes times. */
import { signal } from "@preact/signals";
import type { Language } from "../api/types";

export const language = signal<Language>("en");
/** IANA name; each page sets it before it writes a time. */
export const timeZone = signal("UTC");
