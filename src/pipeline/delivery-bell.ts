/** A bell that is heard even if it rang just before anybody listened. */

import type { Clock } from "../core/clock.ts";

export interface Bell {
  ring(): void;
  /** Forgets earlier rings. */
  clear(): void;
  /** Resolves when it rings or has rung since it was cleared, after `ms` milliseconds, or when `signal` aborts. */
  wait(ms: number, clock: Clock, signal: AbortSignal): Promise<void>;
}

/** Without a reason an abort makes an error, stack and all, that nobody looks at. */
const RUNG = "rung";

export function createBell(): Bell {
  let rung = false;
  const listeners = new Set<AbortController>();
  return {
    ring() {
      rung = true;
      for (const listener of listeners) listener.abort(RUNG);
    },
    clear() {
      rung = false;
    },
    async wait(ms, clock, signal) {
      if (rung || signal.aborted) return;
      const listener = new AbortController();
      listeners.add(listener);
      const onAbort = () => listener.abort(RUNG);
      signal.addEventListener("abort", onAbort, { once: true });
      await clock.sleep(ms, listener.signal);
      signal.removeEventListener("abort", onAbort);
      listeners.delete(listener);
    },
  };
}
