import fc from "fast-check";
import { expect, it } from "vitest";
import { isoTime } from "../../src/core/iso-time.ts";

it("writes every time as Date does", () => {
  const times = fc.oneof(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), fc.integer({ min: 0, max: 2 ** 41 }));
  const writesAsDate = (ms: number) => {
    expect(isoTime(ms)).toBe(new Date(ms).toISOString());
  };
  fc.assert(fc.property(times, writesAsDate));
  for (const ms of [0, -1, 86_399_999, 86_400_000, 8.64e15, -8.64e15])
    expect(isoTime(ms)).toBe(new Date(ms).toISOString());
});

it("refuses what is no time", () => {
  for (const ms of [Number.NaN, 8.64e16, Number.POSITIVE_INFINITY]) expect(() => isoTime(ms)).toThrow(RangeError);
});
