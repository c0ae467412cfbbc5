/** Words of the page in the reader's language; one dictionary file each, with the same keys. */
import type { Text } from "../api/types";
import { language } from "./language";
import en from "./en.json";
import ko from "./ko.json";
import { withParticles } from "./particles";

export type Key = keyof typeof en;

const DICTIONARIES: Record<"en" | "ko", Record<Key, string>> = { en, ko };

/** The words of a key, with `{name}` replaced. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const words = DICTIONARIES[language.value][key];
  const filled = words.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  return language.value === "ko" ? withParticles(filled) : filled;
}

export function isKey(key: string): key is Key {
  return key in en;
}

/** The words of a code that the node sent; the code itself where there are none. */
export function word(group: string, code: string): string {
  const key = `${group}.${code}`;
  return isKey(key) ? t(key) : code;
}

/** A text of the node. */
export function say(text: Text | null | undefined): string {
  return text ? text[language.value] || text.en || text.ko : "";
}
