/** How often PostHog lets somebody do something. */

import type { PosthogRules } from "./posthog-rules.ts";
import type { AcceptedEvent } from "./posthog-store.ts";

export interface Span {
  readonly ms: number;
  readonly most: number;
}

export interface Limiter {
  /** Takes one of `key`, and gives 0; else the ms after which there is one again. */
  take(key: string, spans: readonly Span[]): number;
}

/** By windows that move on with the clock. */
export function createLimiter(now: () => number): Limiter {
  const takenAt = new Map<string, number[]>();
  return {
    take(key, spans) {
      const times = takenAt.get(key) ?? [];
      takenAt.set(key, times);
      const waits = spans.map(({ ms, most }) => (times.at(-most) ?? Number.NEGATIVE_INFINITY) + ms - now());
      const waitMs = Math.max(0, ...waits);
      if (waitMs === 0) times.push(now());
      return waitMs;
    },
  };
}

/** Takes the person off what is over the limit of its distinct id. */
export function createIdLimit(rules: PosthogRules): (event: AcceptedEvent) => AcceptedEvent {
  const limiter = createLimiter(() => rules.now());
  return (event) => {
    const { eventsPerIdPerMinute: most } = rules;
    const isOver = most !== null && limiter.take(event.distinctId, [{ ms: 60_000, most }]) > 0;
    return isOver ? { ...event, isPersonless: true } : event;
  };
}
