/** Keys: a list that "?" shows, and a switch that turns them off. */
import { createRef } from "preact";
import { chosenS, move, playing } from "../state/moment";
import { chooseLanguage, shortcutsOn, switchShortcuts } from "../state/preferences";
import { t, type Key } from "../words";
import { language } from "../words/language";
import { go, PAGES, route } from "./pages";

const dialog = createRef<HTMLDialogElement>();

export function toggleHelp(): void {
  if (dialog.current?.open) dialog.current.close();
  else dialog.current?.showModal();
}

const ON_THE_MAP: Record<string, () => void> = {
  p: () => (playing.value = !playing.value),
  n: () => {
    chosenS.value = null;
    playing.value = false;
  },
  ",": () => move(-1),
  ".": () => move(1),
};

const IN_THE_QUEUE: Record<string, () => void> = {
  j: () => step(1),
  k: () => step(-1),
  a: () => press("acknowledge"),
  s: () => press("assign"),
  c: () => press("comment"),
  e: () => press("escalate"),
  x: () => press("close"),
};

/** There are nine keys; pages after the ninth have none. */
const WITH_KEYS = PAGES.slice(0, 9);

const EVERYWHERE: Record<string, () => void> = {
  "?": toggleHelp,
  l: () => chooseLanguage(language.value === "en" ? "ko" : "en"),
  ...Object.fromEntries(WITH_KEYS.map((page, i) => [String(i + 1), () => go(page)])),
};

const LISTED: [string, Key][] = [
  ["?", "keys.help"], [`1 – ${WITH_KEYS.length}`, "keys.pages"], ["l", "keys.language"],
  ["p", "keys.play"], [", .", "keys.step"], ["n", "keys.now"],
  ["j k", "keys.alarm"], ["a", "change.acknowledge"], ["s", "change.assign"],
  ["c", "change.comment"], ["e", "change.escalate"], ["x", "change.close"],
];

function cards(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>("[data-alarm]")];
}

function current(): HTMLElement | null {
  return document.activeElement?.closest<HTMLElement>("[data-alarm]") ?? null;
}

function step(by: number): void {
  const all = cards();
  const at = all.indexOf(current() ?? document.body);
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
  all[next]?.focus();
}

function press(change: string): void {
  current()?.querySelector<HTMLButtonElement>(`[data-change=${change}]`)?.click();
}

const WRITTEN_IN = "input:not([type=checkbox], [type=range]), textarea, select";

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest(WRITTEN_IN) !== null;
}

export function listenToKeys(): void {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (typing(event.target)) return;
    // The way in stays when all others are off: it is where they are turned on again.
    if (!shortcutsOn.value && event.key !== "?") return;
    const page = route.value.page;
    const own = page === "map" ? ON_THE_MAP : page === "alarms" ? IN_THE_QUEUE : {};
    const found = own[event.key] ?? EVERYWHERE[event.key];
    if (!found) return;
    event.preventDefault();
    found();
  });
}

export function Help() {
  return (
    <dialog ref={dialog} aria-labelledby="help-title">
      <h2 id="help-title">{t("keys.title")}</h2>
      <dl class="keys">
        {LISTED.map(([key, words]) => (
          <div key={key}>
            <dt><kbd>{key}</kbd></dt>
            <dd>{t(words)}</dd>
          </div>
        ))}
      </dl>
      <label class="switch">
        <input type="checkbox" checked={shortcutsOn.value} onChange={(event) => switchShortcuts(event.currentTarget.checked)} />
        {t("keys.on")}
      </label>
      <p><button type="button" class="primary" onClick={toggleHelp}>{t("keys.close")}</button></p>
    </dialog>
  );
}
