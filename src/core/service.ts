/** The two services by which messages leave, each with lanes and a rate of its own: what is old must not keep what is new waiting. */

/**
 * `historical`: events of a backfill that were old when they were committed. Everything else is `live`, group identifies
 * always: PostHog applies properties in the order of arrival and orders nothing between the two, so one that took the
 * historical way could put an old value over the new one that went live.
 */
export type Service = "live" | "historical";

/** In the order in which they have their turn. */
export const SERVICES: readonly Service[] = ["live", "historical"];

/** From this age on PostHog takes an event as history, and does not bill it (PostHog's ingestion, seen 2026-11). */
const HISTORICAL_AGE_MS = 48 * 3_600_000;

/** Both in ms UTC. */
export function isHistory(occurredAt: number, now: number): boolean {
  return now - occurredAt >= HISTORICAL_AGE_MS;
}

/** Where the lanes of a service begin in a ledger that has `lanes` of each: first the live ones, then the historical ones. */
export function firstLaneOf(service: Service, lanes: number): number {
  return service === "live" ? 0 : lanes;
}

export function serviceOfLane(lane: number, lanes: number): Service {
  return lane < lanes ? "live" : "historical";
}
