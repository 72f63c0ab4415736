import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTime } from "../../../src/sources/segment/time.ts";

describe("a time in a call", () => {
  it("is read as Date reads it, in the usual form", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
        (date) => {
          return parseTime(date.toISOString()) === date.getTime();
        },
      ),
    );
  });

  it("is unreadable with one wrong character in it", () => {
    const wrong = fc.constantFrom("x", ":", "/", "-");
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 23 }), wrong, (at, character) => {
        const usual = "2026-11-23T12:34:56.789Z";
        fc.pre(usual[at] !== character);
        return Number.isNaN(parseTime(usual.slice(0, at) + character + usual.slice(at + 1)));
      }),
    );
  });

  it.each([
    "2026-00-10T00:00:00.000Z",
    "2026-11-23T24:30:00.000Z",
    "2026-11-23T12:60:00.000Z",
    "2026-11-00T12:00:00.000Z",
  ])("is unreadable out of range: %s", (text) => {
    expect(parseTime(text)).toBeNaN();
  });

  it.each([undefined, null, ""])("is absent as %s", (value) => {
    expect(parseTime(value)).toBeNull();
  });
});
