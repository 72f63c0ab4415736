/** How fast a destination may be fed: requests in flight and per second by p-queue, messages per second, and pauses it asks for. */

import PQueue from "p-queue";
import type { Clock } from "../core/clock.ts";
import type { DestinationLimits } from "../core/destination.ts";

export interface Pace {
  /** Messages per claim: never more than a second's worth. */
  readonly maxMessages: number;
  /** Resolves when the pause is over and the messages counted so far fit the rate, or when `signal` aborts. */
  ready(signal: AbortSignal): Promise<void>;
  /** Messages that were taken. */
  count(messages: number): void;
  /** Runs `request` when one more may be in flight. */
  run<Result>(request: () => Promise<Result>): Promise<Result>;
  /** From now on. */
  limitTo(concurrency: number): void;
  pauseUntil(at: number): void;
  /** When the pause ends, ms UTC; in the past when there is none. */
  pausedUntil(): number;
}

export function createPace(limits: DestinationLimits, clock: Clock): Pace {
  const { concurrency, requestsPerSecond, messagesPerSecond } = limits;
  const queue = new PQueue({ concurrency, ...requestRate(requestsPerSecond) });
  let pausedUntil = 0;
  let freeAt = 0;
  return {
    maxMessages:
      messagesPerSecond === null ? limits.maxMessages : Math.min(limits.maxMessages, Math.ceil(messagesPerSecond)),

    async ready(signal) {
      for (;;) {
        const waitMs = Math.max(pausedUntil, freeAt) - clock.now();
        if (waitMs <= 0 || signal.aborted) return;
        await clock.sleep(waitMs, signal);
      }
    },

    count(messages) {
      if (messagesPerSecond === null) return;
      freeAt = Math.max(freeAt, clock.now()) + (messages / messagesPerSecond) * 1000;
    },

    run: (request) => queue.add(request),

    limitTo(requests) {
      queue.concurrency = requests;
    },

    pauseUntil(at) {
      pausedUntil = Math.max(pausedUntil, at);
    },

    pausedUntil: () => pausedUntil,
  };
}

/** `strict`, else a window capped at 10 lets 20 through. The window is stretched until the cap is a whole number. */
function requestRate(perSecond: number | null): { intervalCap: number; interval: number; strict: true } | object {
  if (perSecond === null) return {};
  const intervalCap = Math.ceil(perSecond);
  return { intervalCap, interval: (1000 * intervalCap) / perSecond, strict: true };
}
