import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Call } from "../../samples/call.ts";
import { compressSample, generateSample } from "../../samples/sample.ts";

const shipped = readFileSync(new URL("../../samples/plankton.segment.jsonl.gz", import.meta.url));
const text = generateSample();
const calls = text
  .trimEnd()
  .split("\n")
  .map((line): Call => JSON.parse(line));

describe("the shipped sample", () => {
  it("is what its generator writes: run `node samples/generate.ts` after changing it", () => {
    expect(gunzipSync(shipped).toString() === text).toBe(true);
  });

  it("is compressed without the time of writing, and small enough to ship", () => {
    expect(compressSample(text).readUInt32LE(4)).toBe(0);
    expect(shipped.length).toBeLessThan(600_000);
  });

  it("spans ninety days in order of time, but for calls that come twice", () => {
    const seen = new Set<unknown>();
    const firsts = calls.filter((call) => !seen.has(call.messageId) && seen.add(call.messageId));
    const times = firsts.map(({ timestamp }) => timestamp);
    expect(times).toEqual(times.toSorted());
    expect([times.at(0)?.slice(0, 10), times.at(-1)?.slice(0, 10)]).toEqual(["2026-08-03", "2026-10-31"]);
  });

  it("holds every type of call, some repeated", () => {
    const types = new Set(calls.map(({ type }) => type));
    expect([...types].sort()).toEqual(["alias", "delete", "group", "identify", "page", "screen", "track"]);
    const ids = calls.map(({ messageId }) => messageId);
    expect(ids.length - new Set(ids).size).toBeGreaterThan(50);
  });

  it("has quiet weekends", () => {
    const byWeekday = Map.groupBy(calls, ({ timestamp }) => new Date(timestamp).getUTCDay());
    expect(byWeekday.get(0)?.length).toBeLessThan((byWeekday.get(2)?.length ?? 0) / 5);
  });
});
