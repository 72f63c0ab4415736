import { expect, it } from "vitest";
import { backoffMs, isPastHorizon, parseRetryAfterMs } from "../../src/core/retry.ts";

it("doubles the ceiling of the pause with each failure, up to five minutes", () => {
  const ceilings = [1, 2, 3, 9, 10, 11, 1000].map((failures) => backoffMs(failures, 1));
  expect(ceilings).toEqual([500, 1000, 2000, 128_000, 256_000, 300_000, 300_000]);
});

it("draws the pause from its whole range, but never below what PostHog asks for", () => {
  expect([0, 0.5, 1].map((random) => backoffMs(3, random))).toEqual([100, 1050, 2000]);
});

it("counts the horizon from the first attempt, by time", () => {
  expect(isPastHorizon(null, 1000, 10)).toBe(false);
  expect(isPastHorizon(991, 1000, 10)).toBe(false);
  expect(isPastHorizon(990, 1000, 10)).toBe(true);
});

it("reads Retry-After as seconds and as a date, and ignores what makes no sense", () => {
  const now = Date.UTC(2026, 10, 23, 12, 0, 0);
  const read = (header: string | undefined) => parseRetryAfterMs(header, now);
  expect(read("7")).toBe(7000);
  expect(read("Mon, 23 Nov 2026 12:00:30 GMT")).toBe(30_000);
  expect(read("999999999")).toBe(3_600_000);
  for (const header of [undefined, "", "0", "-5", "soon", "1.5", "Mon, 23 Nov 2026 11:59:59 GMT"]) {
    expect(read(header)).toBeNull();
  }
});
