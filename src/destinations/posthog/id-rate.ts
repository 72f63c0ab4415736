/**
 * A ceiling per distinct id. PostHog sends what is more than 100 events/s of one id another way, and may take
 * its person and its groups from it (facts on PostHog, 5.5).
 */

export interface IdRate {
  /** Takes one event's worth of the id with this hash, at `now` (ms UTC): 0, or in how many ms there may be one again. */
  take(idHash: number, now: number): number;
}

/** Ids share these by their hashes, so that memory stays the same: two busy ones that meet are only slower. */
const BUCKETS = 1 << 14;
/** PostHog allows a burst of ten seconds' worth. */
const BURST_SECONDS = 10;

/** `perSecond` null: no ceiling. */
export function createIdRate(perSecond: number | null): IdRate {
  if (perSecond === null) return { take: () => 0 };
  const msPerEvent = 1000 / perSecond;
  /** When the bucket would be full again, ms UTC. */
  const fullAt = new Float64Array(BUCKETS);
  return {
    take(idHash, now) {
      const bucket = idHash & (BUCKETS - 1);
      const at = Math.max(fullAt[bucket] ?? 0, now) + msPerEvent;
      const overMs = at - now - BURST_SECONDS * 1000;
      if (overMs > 0) return Math.ceil(overMs);
      fullAt[bucket] = at;
      return 0;
    },
  };
}
