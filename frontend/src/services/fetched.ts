/** What a part of a page asks of the node for itself. */
import { useEffect, useState } from "preact/hooks";
import { ApiError, get, query } from "../api/client";
import type { Frame, Party, PartyNow, Series } from "../api/types";
import { keyOf, now, nowS } from "../state/city";
import { version } from "../state/moment";

export interface Fetched<T> {
  answer: T | null;
  error: ApiError | null;
}

/** The answer of a path, asked again when rows or forecasts came; what was shown stays meanwhile. */
export function useFetched<T>(path: string | null): Fetched<T> {
  const [found, setFound] = useState<{ path: string; answer: T } | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    if (path === null) return;
    const asked = new AbortController();
    get<T>(path, asked.signal).then(
      (answer) => {
        setFound({ path, answer });
        setError(null);
      },
      (raised: unknown) => {
        if (raised instanceof ApiError) setError(raised);
        else if (!asked.signal.aborted) throw raised;
      },
    );
    return () => asked.abort();
  }, [path, version.value]);
  return { answer: found !== null && kept(found.path) === kept(path) ? found.answer : null, error };
}

/** A path without its times: the same question, asked later. */
function kept(path: string | null): string {
  return (path ?? "").replace(/&(since|until|time)=\d+/g, "");
}

export function nowOf(party: Party): PartyNow | null {
  return (now.data.value?.parties ?? []).find((one) => keyOf(one) === keyOf(party)) ?? null;
}

const HALF_DAY_S = 43_200;
const STEPS_BACK = 30;

/** One place's newest hours or days, and all that is forecast for it. */
export function useSeries(party: Party, place: string | null): Fetched<Series> {
  const { step_s, horizon, service } = party;
  const known = nowOf(party);
  const end = known?.newest_s ?? Math.floor(nowS.value / step_s) * step_s;
  const since = end - Math.max(HALF_DAY_S, STEPS_BACK * step_s, horizon * step_s);
  const until = (known?.origin_s ?? end) + horizon * step_s;
  const asked = { service, party: party.party, place, since: Math.max(0, since), until };
  return useFetched<Series>(place === null || end === 0 ? null : `/api/series?${query(asked)}`);
}

/** All places at the start of a step; `time` null asks nothing. */
export function useFrame(party: Party, time: number | null): Fetched<Frame> {
  const asked = { service: party.service, party: party.party, time };
  return useFetched<Frame>(time === null ? null : `/api/frame?${query(asked)}`);
}
