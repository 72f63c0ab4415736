/** The wall clock. */

import type { Clock } from "../core/clock.ts";

export const systemClock: Clock = {
  now: Date.now,
  // Not by timers/promises: it makes an error, stack and all, of each sleep cut short, and most are.
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      if (signal?.aborted) wake();
      else signal?.addEventListener("abort", wake, { once: true });
    }),
};
