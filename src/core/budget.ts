/** How many requests a peer may be sent: so many in any stretch of time, fewer once it complained, and slowly more again. */

import type { Clock } from "./clock.ts";

export interface BudgetOptions {
  /** Requests in any `windowMs`. */
  readonly perWindow: number;
  readonly windowMs: number;
}

export interface Budget {
  /** Resolves when one more may be sent, in the order of the calls, or as soon as `signal` aborts. */
  take(signal: AbortSignal): Promise<void>;
  /** The peer complained: half as many from now on, recovering by a tenth each window. */
  slowDown(): void;
  /** Nobody gets one before this time, ms UTC. */
  pauseUntil(at: number): void;
  /** The peer said what it allows. */
  adopt(options: BudgetOptions): void;
}

const RECOVERY = 0.1;

export function createBudget(options: BudgetOptions, clock: Clock): Budget {
  let { perWindow, windowMs } = options;
  /** Of `perWindow`, and as of when. */
  let share = 1;
  let shareAt = clock.now();
  let pausedUntil = 0;
  const taken: number[] = [];
  let turn: Promise<void> = Promise.resolve();

  function allowed(now: number): number {
    share = Math.min(1, share + ((now - shareAt) / windowMs) * RECOVERY);
    shareAt = now;
    return Math.max(1, Math.floor(perWindow * share));
  }

  /** In ms; 0: now. */
  function waitAt(now: number): number {
    while (taken.length > 0 && (taken[0] ?? 0) <= now - windowMs) taken.shift();
    const most = allowed(now);
    const freeAt = taken.length < most ? now : (taken[taken.length - most] ?? now) + windowMs;
    return Math.max(0, freeAt - now, pausedUntil - now);
  }

  async function next(signal: AbortSignal): Promise<void> {
    for (;;) {
      if (signal.aborted) return;
      const now = clock.now();
      const waitMs = waitAt(now);
      if (waitMs === 0) {
        taken.push(now);
        return;
      }
      await clock.sleep(waitMs, signal);
    }
  }

  return {
    take(signal) {
      const mine = turn.then(() => next(signal));
      turn = mine;
      return mine;
    },
    slowDown() {
      allowed(clock.now());
      share = Math.max(1 / perWindow, share / 2);
    },
    pauseUntil(at) {
      pausedUntil = Math.max(pausedUntil, at);
    },
    adopt(said) {
      ({ perWindow, windowMs } = said);
    },
  };
}
