/** A clock that stands still until told: `sleep` wakes when `advance` passes its time. */

import type { Clock } from "../../src/core/clock.ts";

export interface ManualClock extends Clock {
  advance(ms: number): Promise<void>;
}

export function createManualClock(startMs = Date.UTC(2026, 10, 1)): ManualClock {
  let now = startMs;
  const sleepers = new Set<{ readonly dueAt: number; readonly wake: () => void }>();
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted || ms <= 0) return resolve();
        const wake = () => {
          sleepers.delete(sleeper);
          resolve();
        };
        const sleeper = { dueAt: now + ms, wake };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", sleeper.wake, { once: true });
      }),
    async advance(ms) {
      now += ms;
      for (const sleeper of [...sleepers]) if (sleeper.dueAt <= now) sleeper.wake();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

export interface PassingClock extends Clock {
  pass(ms: number): void;
  /** How long was slept each time, in ms. */
  readonly pauses: readonly number[];
}

/** A clock on which time passes by sleeping only: whoever waits is woken at once, later. */
export function createPassingClock(startMs = Date.UTC(2026, 10, 1)): PassingClock {
  let now = startMs;
  const pauses: number[] = [];
  return {
    pauses,
    now: () => now,
    async sleep(ms, signal) {
      if (signal?.aborted) return;
      pauses.push(ms);
      now += Math.max(0, ms);
      await new Promise((resolve) => setImmediate(resolve));
    },
    pass(ms) {
      now += ms;
    },
  };
}
