/**
 * How fast a destination may be fed: requests in flight and per second by p-queue, messages per second, and pauses it asks
 * for. Each service has a rate of its own; requests are shared, live ones first.
 */

import PQueue from "p-queue";
import type { Clock } from "../core/clock.ts";
import type { DestinationLimits } from "../core/destination.ts";
import type { Service } from "../core/service.ts";

/** Of one service. */
export interface Pace {
  /** Messages per claim: never more than a second's worth. */
  readonly maxMessages: number;
  /** Requests it may have in flight. */
  readonly concurrency: number;
  /** When the next claim may be made, ms UTC: the pause is over, the messages counted fit the rate, and the time to linger has passed. */
  readyAt(): number;
  /** Messages that were taken. */
  count(messages: number): void;
  /** The next claim waits for more to come. */
  linger(): void;
  /** Runs `request` when one more may be in flight. */
  run<Result>(request: () => Promise<Result>): Promise<Result>;
  /** `holdsAll`: the other service waits too. It does in any case when live messages wait: history never goes before them. */
  pauseUntil(at: number, holdsAll: boolean): void;
  /** When the pause ends, ms UTC; in the past when there is none. */
  pausedUntil(): number;
}

export interface Paces extends Readonly<Record<Service, Pace>> {
  /** Requests in flight from now on, of both. */
  limitTo(requests: number): void;
}

/** Of requests that wait for a place. */
const LIVE_PRIORITY = 1;

export function createPaces(limits: DestinationLimits, clock: Clock): Paces {
  const { concurrency, requestsPerSecond, messagesPerSecond, historical } = limits;
  const queue = new PQueue({ concurrency, ...requestRate(requestsPerSecond) });
  // One place is always left for a live request; where there is one only, they take turns.
  const historicalShare = (requests: number) => Math.max(1, requests - 1);
  const historicalConcurrency = historicalShare(concurrency);
  const historicalQueue = new PQueue({ concurrency: historicalConcurrency });
  const pauses = { live: 0, historical: 0 };

  const live: Pace = {
    ...createRate(limits, { messagesPerSecond, pausedUntil: () => pauses.live, clock }),
    concurrency,
    run: (request) => queue.add(request, { priority: LIVE_PRIORITY }),
    pauseUntil(at) {
      pauses.live = Math.max(pauses.live, at);
      pauses.historical = Math.max(pauses.historical, at);
    },
  };
  return {
    live,
    historical: {
      ...createRate(limits, {
        messagesPerSecond: historical ? historical.messagesPerSecond : messagesPerSecond,
        pausedUntil: () => pauses.historical,
        clock,
      }),
      concurrency: historicalConcurrency,
      run: (request) => historicalQueue.add(() => queue.add(request)),
      pauseUntil(at, holdsAll) {
        if (holdsAll) live.pauseUntil(at, holdsAll);
        else pauses.historical = Math.max(pauses.historical, at);
      },
    },
    limitTo(requests) {
      queue.concurrency = requests;
      historicalQueue.concurrency = historicalShare(requests);
    },
  };
}

interface RateParts {
  readonly messagesPerSecond: number | null;
  readonly pausedUntil: () => number;
  readonly clock: Clock;
}

type Rate = Pick<Pace, "maxMessages" | "readyAt" | "count" | "linger" | "pausedUntil">;

function createRate(
  { maxMessages, lingerMs }: DestinationLimits,
  { messagesPerSecond, pausedUntil, clock }: RateParts,
): Rate {
  let freeAt = 0;
  let lingersUntil = 0;
  return {
    maxMessages: messagesPerSecond === null ? maxMessages : Math.min(maxMessages, Math.ceil(messagesPerSecond)),
    readyAt: () => Math.max(pausedUntil(), freeAt, lingersUntil),
    count(messages) {
      if (messagesPerSecond === null) return;
      freeAt = Math.max(freeAt, clock.now()) + (messages / messagesPerSecond) * 1000;
    },
    linger() {
      lingersUntil = clock.now() + lingerMs;
    },
    pausedUntil,
  };
}

/** `strict`, else a window capped at 10 lets 20 through. The window is stretched until the cap is a whole number. */
function requestRate(perSecond: number | null): { intervalCap: number; interval: number; strict: true } | object {
  if (perSecond === null) return {};
  const intervalCap = Math.ceil(perSecond);
  return { intervalCap, interval: (1000 * intervalCap) / perSecond, strict: true };
}
