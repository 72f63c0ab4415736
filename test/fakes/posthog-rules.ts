/** What a fake PostHog goes by, which tests may change: its clock, and its limit of events of one distinct id. */

export interface PosthogRules {
  /** In ms UTC: capture and ingestion tell by it what is too young, too old or in the future. */
  now: () => number;
  /** More of one distinct id are taken without their person, and so without groups (facts on PostHog, 5.5). Null: no limit. */
  eventsPerIdPerMinute: number | null;
}

/** What a project says of itself; ingestion goes by it (facts on PostHog, 5.6). */
export type ProjectSettings = Readonly<Record<string, unknown>>;

/** A machine whose clock is behind must not make the events of tests come from the future. */
const EARLIEST_NOW = Date.UTC(2026, 10, 1);

export function createPosthogRules(): PosthogRules {
  return { now: () => Math.max(Date.now(), EARLIEST_NOW), eventsPerIdPerMinute: null };
}

/** In ms; none, or 0: nothing is dropped for its age. */
export function dropAgeMs({ drop_events_older_than_seconds: seconds }: ProjectSettings): number {
  return typeof seconds === "number" && seconds > 0 ? seconds * 1000 : Number.POSITIVE_INFINITY;
}

const MOST_AHEAD_MS = 23 * 3_600_000;

/** What is further ahead happens now (facts on PostHog, 3.6; v0 does so whether or not `sent_at` counts). */
export function notFarAhead(at: number, now: number): number {
  return at - now > MOST_AHEAD_MS ? now : at;
}
