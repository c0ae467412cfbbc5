/** What the reader chose; kept in this browser only. */
import { effect, signal } from "@preact/signals";
import type { Language } from "../api/types";
import { language } from "../words/language";

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is switched off: the choice lasts as long as the page
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // see above
  }
}

function firstLanguage(): Language {
  const chosen = kept("language");
  if (chosen === "en" || chosen === "ko") return chosen;
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}

language.value = firstLanguage();
export const shortcutsOn = signal(kept("shortcuts") !== "off");
export const wall = new URLSearchParams(location.search).get("wall") === "1";

export function chooseLanguage(to: Language): void {
  language.value = to;
  keep("language", to);
}

export function switchShortcuts(on: boolean): void {
  shortcutsOn.value = on;
  keep("shortcuts", on ? "on" : "off");
}

effect(() => {
  document.documentElement.lang = language.value;
});
