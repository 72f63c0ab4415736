/** A clock that goes on by itself where somebody sleeps: pauses take no time, and can be counted. */

import type { Clock } from "../../src/core/clock.ts";

export interface SteppingClock extends Clock {
  advance(ms: number): void;
  /** Pauses so far, in ms. */
  readonly pauses: readonly number[];
}

export function createSteppingClock(startMs = Date.UTC(2026, 10, 1)): SteppingClock {
  let now = startMs;
  const pauses: number[] = [];
  return {
    now: () => now,
    async sleep(ms, signal) {
      if (signal?.aborted) return;
      pauses.push(ms);
      now += Math.max(0, ms);
    },
    advance(ms) {
      now += ms;
    },
    pauses,
  };
}
