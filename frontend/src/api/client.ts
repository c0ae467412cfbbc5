/** Calls of the node's HTTP API. */
import { signal } from "@preact/signals";
import type { Decision, Refusal } from "./types";

/** What a call failed with: `status` 0 if the node was not reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly errors: Refusal[],
    /** How the decision now is that a refused answer was for. */
    readonly decision: Decision | null = null,
  ) {
    super(errors.map((one) => one.reason).join("; ") || `HTTP ${status}`);
  }
}

/** Seconds that the node's clock is ahead of this browser's; null before the first answer. */
export const clockSkew = signal<number | null>(null);

/** True once a call was refused because nobody is logged in. */
export const loggedOut = signal(false);

const PATIENCE_MS = 20_000;

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const limit = AbortSignal.timeout(PATIENCE_MS);
  return call<T>(path, { signal: signal ? AbortSignal.any([signal, limit]) : limit });
}

export async function send<T>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<T> {
  return call<T>(path, {
    method,
    headers: { "Content-Type": "application/json" },
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** An answer that is no JSON. */
export async function getText(path: string, signal: AbortSignal): Promise<string> {
  return (await answered(path, { signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]) })).text();
}

async function call<T>(path: string, how: RequestInit): Promise<T> {
  const answer = await answered(path, how);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

async function answered(path: string, how: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...how });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, []);
  }
  compareClocks(answer.headers.get("Date"));
  if (answer.status === 401 && path !== "/api/session") loggedOut.value = true;
  if (!answer.ok) throw await refused(answer);
  return answer;
}

async function refused(answer: Response): Promise<ApiError> {
  try {
    const body = (await answer.json()) as { errors?: Refusal[]; decision?: Decision };
    return new ApiError(answer.status, body.errors ?? [], body.decision);
  } catch {
    return new ApiError(answer.status, []);
  }
}

function compareClocks(date: string | null): void {
  const server = date === null ? NaN : Date.parse(date);
  if (Number.isNaN(server)) return;
  const skew = Math.round((server - Date.now()) / 1000);
  if (clockSkew.value === null || Math.abs(skew - clockSkew.value) > 1) clockSkew.value = skew;
}

export function query(values: Record<string, string | number | null | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  return new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
}
