/** One change sent to the node: busy while it is under way, and its refusal kept for show. */
import { useState } from "preact/hooks";
import { ApiError, send } from "../api/client";

export function useAction<T>(done: (answer: T) => void, refused?: (error: ApiError) => void) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const act = async (path: string, body: unknown): Promise<boolean> => {
    if (busy) return false;
    setBusy(true);
    setError(null);
    try {
      done(await send<T>("POST", path, body));
      return true;
    } catch (raised) {
      if (!(raised instanceof ApiError)) throw raised;
      setError(raised);
      refused?.(raised);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { act, busy, error };
}
