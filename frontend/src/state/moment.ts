/** The moment that the map shows: now, or where the slider stands. */
import { computed, effect, signal, untracked } from "@preact/signals";
import { ApiError, get, query } from "../api/client";
import type { Frame, Series } from "../api/types";
import { keyOf, nowS, party, partyNow } from "./city";

/** Where the slider stands; null follows now. */
export const chosenS = signal<number | null>(null);
export const hoursBack = signal(12);
export const playing = signal(false);
export const placeId = signal<string | null>(null);

export const frame = signal<Frame | null>(null);
export const frameError = signal<ApiError | null>(null);
export const series = signal<Series | null>(null);
/** The forecast as it was known at the chosen moment, if that lies in the past. */
export const seriesThen = signal<Series["forecast"]>(null);

/** Grows when rows or forecasts came: what is shown is fetched again. */
export const version = signal(0);

const floor = (time: number, step: number) => Math.floor(time / step) * step;

export const span = computed(() => {
  const step = party.value?.step_s ?? 3600;
  // Moments are starts of steps: now is the newest step that was measured.
  const end = floor(partyNow.value?.newest_s ?? nowS.value, step);
  const middle = end - step;
  const ahead = (party.value?.horizon ?? 0) - 1;
  const until = (partyNow.value?.origin_s ?? end) + ahead * step;
  return {
    step,
    now: middle,
    since: floor(middle - hoursBack.value * 3600, step),
    until: Math.max(floor(until, step), middle),
  };
});

export const shownS = computed(() => {
  const { now, since, until } = span.value;
  return chosenS.value === null ? now : Math.min(Math.max(chosenS.value, since), until);
});

/** Where the slider stands if that lies in the past; null: it follows now, or looks ahead. */
export const pastS = computed(() => {
  const chosen = chosenS.value;
  return chosen !== null && chosen < span.value.now ? chosen : null;
});

const CACHED = 64;
const cache = new Map<string, Frame>();
let asked: AbortController | null = null;

function remember(key: string, found: Frame): void {
  cache.delete(key);
  cache.set(key, found);
  const oldest = cache.keys().next().value;
  if (cache.size > CACHED && oldest !== undefined) cache.delete(oldest);
}

async function fetchFrame(service: string, name: string, time: number): Promise<void> {
  const key = `${service} ${name} ${time}`;
  asked?.abort();
  const known = cache.get(key);
  if (known) {
    frame.value = known;
    return;
  }
  const own = new AbortController();
  asked = own;
  try {
    const path = `/api/frame?${query({ service, party: name, time })}`;
    const found = await get<Frame>(path, own.signal);
    remember(key, found);
    if (asked === own) {
      frame.value = found;
      frameError.value = null;
    }
  } catch (error) {
    if (error instanceof ApiError && asked === own) frameError.value = error;
  }
}

let seriesAsked = 0;

async function fetchSeries(service: string, name: string, place: string): Promise<void> {
  const turn = ++seriesAsked;
  const { since, until } = untracked(() => span.value);
  const asking = { service, party: name, place, since, until };
  const then = untracked(() => pastS.value);
  try {
    const [found, past] = await Promise.all([
      get<Series>(`/api/series?${query(asking)}`),
      then === null ? null : get<Series>(`/api/series?${query({ ...asking, known: then })}`),
    ]);
    if (turn !== seriesAsked) return;
    series.value = found;
    seriesThen.value = past?.forecast ?? null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // the banner tells; what was shown stays
  }
}

export function refreshMoment(): void {
  cache.clear();
  version.value += 1;
}

/** Fetches what is to be shown whenever party, place or time change. */
export function followMoment(): void {
  let shownKey = "";
  effect(() => {
    version.value;
    const shown = party.value;
    const time = shownS.value;
    if (!shown || time === 0) return;
    untracked(() => {
      const key = keyOf(shown);
      if (key !== shownKey) {
        frame.value = null;
        shownKey = key;
      }
      void fetchFrame(shown.service, shown.party, time);
    });
  });
  let pause: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    version.value;
    chosenS.value;
    hoursBack.value;
    const shown = party.value;
    const place = placeId.value;
    clearTimeout(pause);
    if (!shown || place === null || !shown.places.some((one) => one.id === place)) {
      series.value = null;
      return;
    }
    // While the slider is dragged, only where it rests is asked for.
    pause = setTimeout(() => void fetchSeries(shown.service, shown.party, place), 60);
  });
  effect(() => {
    if (!playing.value) return;
    const ticking = setInterval(step, 500);
    return () => clearInterval(ticking);
  });
}

function step(): void {
  const { step: size, until, since } = span.value;
  const next = shownS.value + size;
  chosenS.value = next > until ? since : next;
}

export function move(steps: number): void {
  const { step: size, since, until } = span.value;
  chosenS.value = Math.min(Math.max(shownS.value + steps * size, since), until);
}
