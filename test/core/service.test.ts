import { expect, it } from "vitest";
import { firstLaneOf, isHistory, SERVICES, serviceOfLane } from "../../src/core/service.ts";

const NOW = Date.UTC(2026, 10, 24);
const TWO_DAYS_MS = 48 * 3_600_000;

it("takes for history what is 48 hours old, not a millisecond before", () => {
  expect(isHistory(NOW - TWO_DAYS_MS, NOW)).toBe(true);
  expect(isHistory(NOW - TWO_DAYS_MS + 1, NOW)).toBe(false);
  expect(isHistory(Number.NaN, NOW)).toBe(false);
});

it("knows the service of a lane by its number", () => {
  expect(SERVICES.map((service) => firstLaneOf(service, 64))).toEqual([0, 64]);
  expect([0, 63, 64, 127].map((lane) => serviceOfLane(lane, 64))).toEqual(["live", "live", "historical", "historical"]);
});
