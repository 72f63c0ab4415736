/** When to try again, and when to stop: the arithmetic only. */

/** The ceiling of the first pause; it doubles with each failed attempt. */
const BASE_MS = 500;
const CAP_MS = 5 * 60_000;
/** PostHog asks for at least this much before the first repetition. */
const FLOOR_MS = 100;

/** For how long a message that fails on its own is tried, counted from its first attempt. */
export const RETRY_HORIZON_MS = 72 * 3_600_000;

/** Longest pause granted to a peer that asks for one: past that we look again ourselves. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Pause after the `failures`th failed attempt (1 or more) in ms: exponential with full jitter, between 100 ms and
 * 5 minutes. `random` is in [0, 1).
 */
export function backoffMs(failures: number, random: number): number {
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(FLOOR_MS + random * (ceiling - FLOOR_MS));
}

/** True when the first attempt is at least `horizonMs` ago. */
export function isPastHorizon(firstAttemptAt: number | null, now: number, horizonMs: number): boolean {
  return firstAttemptAt !== null && now - firstAttemptAt >= horizonMs;
}

/**
 * What a Retry-After header asks for, in ms: whole seconds or an HTTP date, at most an hour. Null when it is absent,
 * malformed, zero or past (RFC 9110 §10.2.3; PostHog's own clients ignore the same values).
 */
export function parseRetryAfterMs(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  const text = header.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : /[a-z]/i.test(text) ? Date.parse(text) - now : Number.NaN;
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : null;
}
