/** One answer of the node, kept with the time at which it came. */
import { signal } from "@preact/signals";
import { ApiError, get } from "../api/client";

const LEAST_GAP_MS = 400;

export class Resource<T> {
  readonly data = signal<T | null>(null);
  readonly fetchedAt = signal<number | null>(null);
  readonly error = signal<ApiError | null>(null);
  private busy = false;
  private again = false;
  private wanted = false;

  constructor(readonly path: () => string | null) {}

  /** Fetch it, now and on every later `refresh`; calls while one is under way become one more. */
  async load(): Promise<void> {
    this.wanted = true;
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    try {
      do {
        this.again = false;
        await this.fetchOnce();
        if (this.again) await new Promise((done) => setTimeout(done, LEAST_GAP_MS));
      } while (this.again);
    } finally {
      this.busy = false;
    }
  }

  /** Fetch it again if anyone ever asked for it. */
  refresh(): void {
    if (this.wanted) void this.load();
  }

  private async fetchOnce(): Promise<void> {
    const path = this.path();
    if (path === null) return;
    try {
      const found = await get<T>(path);
      if (path !== this.path()) {
        this.again = true;
        return;
      }
      this.data.value = found;
      this.fetchedAt.value = Date.now();
      this.error.value = null;
    } catch (error) {
      if (error instanceof ApiError) this.error.value = error;
      else throw error;
    }
  }
}
