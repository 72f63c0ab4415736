import { expect, it } from "vitest";
import type { TrendsQuery } from "../../src/core/analytics.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Engine } from "../../src/engine/open.ts";
import { appendMessages, eventMessage, identifyMessage } from "./messages.ts";
import { openTemporary } from "./temporary.ts";

const ALL_DAYS: TrendsQuery = {
  groupType: "company",
  event: null,
  interval: "day",
  from: null,
  to: null,
  breakdown: null,
};

let seeds = 0;

function on(timestamp: string, company: string, properties: JsonObject = {}, event = "Clicked"): JsonObject {
  return eventMessage({ event, seed: ++seeds, timestamp, groups: { company }, properties });
}

async function engineWith(messages: readonly JsonObject[]): Promise<Engine> {
  const engine = await openTemporary();
  await appendMessages(engine, messages);
  return engine;
}

/** The points of the only series, as "date count". */
async function points(engine: Engine, query: Partial<TrendsQuery>): Promise<readonly string[]> {
  const { series } = await engine.trends({ ...ALL_DAYS, ...query });
  expect(series).toHaveLength(1);
  return series[0]?.points.map(({ start, uniqueGroups }) => `${start} ${uniqueGroups}`) ?? [];
}

it("counts each group once per interval and once in the total, and fills empty intervals", async () => {
  const engine = await engineWith([
    on("2026-03-01T00:00:00Z", "a"),
    on("2026-03-01T23:59:59.999Z", "a"),
    on("2026-03-01T12:00:00Z", "b"),
    on("2026-03-04T01:00:00+02:00", "a"),
  ]);
  expect(await points(engine, {})).toEqual(["2026-03-01 2", "2026-03-02 0", "2026-03-03 1"]);
  expect((await engine.trends(ALL_DAYS)).series[0]).toMatchObject({ breakdownValue: null, total: 2 });
});

it("starts weeks on Sunday and months on the first, also before 1970", async () => {
  const engine = await engineWith([on("1969-12-20T12:00:00Z", "a"), on("1970-01-04T00:00:00Z", "a")]);
  expect(await points(engine, { interval: "week" })).toEqual([
    "1969-12-14 1",
    "1969-12-21 0",
    "1969-12-28 0",
    "1970-01-04 1",
  ]);
  expect(await points(engine, { interval: "month" })).toEqual(["1969-12-01 1", "1970-01-01 1"]);
});

it("goes through every month of a leap year", async () => {
  const engine = await engineWith([on("2024-01-31T00:00:00Z", "a"), on("2024-12-31T00:00:00Z", "a")]);
  const starts = (await points(engine, { interval: "month" })).map((point) => point.slice(5, 10));
  expect(starts.join(" ")).toBe("01-01 02-01 03-01 04-01 05-01 06-01 07-01 08-01 09-01 10-01 11-01 12-01");
});

it("includes both bounds: a date means its whole day, a time is exact", async () => {
  const days = ["2026-03-01T00:00:00.000Z", "2026-03-02T12:00:00.000Z", "2026-03-03T23:59:59.999Z"];
  const engine = await engineWith(days.map((day, index) => on(day, `c${index}`)));
  const total = async (from: string | null, to: string | null) =>
    (await engine.trends({ ...ALL_DAYS, from, to })).series[0]?.total;
  expect(await total("2026-03-01", "2026-03-03")).toBe(3);
  expect(await total("2026-03-02", null)).toBe(2);
  expect(await total(null, "2026-03-02")).toBe(2);
  expect(await total("2026-03-02T12:00:00Z", "2026-03-02T12:00:00Z")).toBe(1);
  expect(await total("2026-03-02T12:00:00.001Z", "2026-03-03T23:59:59.998Z")).toBe(0);
});

it("answers an asked range with every interval of it, though nothing happened", async () => {
  const engine = await engineWith([on("2026-03-01T00:00:00Z", "a")]);
  const empty = { from: "2025-01-01", to: "2025-01-02" };
  expect(await points(engine, empty)).toEqual(["2025-01-01 0", "2025-01-02 0"]);
  expect(await points(engine, { event: "Never" })).toEqual([]);
  expect((await engine.trends({ ...ALL_DAYS, ...empty, breakdown: "plan" })).series).toEqual([]);
});

it("counts one event, or any event that carries a group: a group identify does not", async () => {
  const engine = await engineWith([
    on("2026-03-01T00:00:00Z", "a"),
    on("2026-03-01T00:00:00Z", "b", {}, "Typed"),
    identifyMessage({ seed: "c", groupKey: "c", timestamp: "2026-03-01T00:00:00Z", set: { name: "C" } }),
    eventMessage({ seed: "none", timestamp: "2026-03-01T00:00:00Z" }),
  ]);
  expect(await points(engine, { event: "Typed" })).toEqual(["2026-03-01 1"]);
  expect(await points(engine, {})).toEqual(["2026-03-01 2"]);
});

it("tells the groups of one type from those of another", async () => {
  const engine = await engineWith([
    eventMessage({ seed: 1, groups: { company: "a", project: "x" } }),
    eventMessage({ seed: 2, groups: { company: "a", project: "y" } }),
  ]);
  expect((await engine.trends({ ...ALL_DAYS, groupType: "project" })).series[0]?.total).toBe(2);
  expect((await engine.trends(ALL_DAYS)).series[0]?.total).toBe(1);
});

it("breaks down by a property as it is: numbers, text and truth differ; null is as good as missing", async () => {
  const values = [1, "1", true, null, undefined, { a: 1 }, 1];
  const engine = await engineWith(
    values.map((plan, index) => on("2026-03-01T00:00:00Z", `c${index}`, plan === undefined ? {} : { plan })),
  );
  const { series } = await engine.trends({ ...ALL_DAYS, breakdown: "plan" });
  const found = series.map(({ breakdownValue, total }) => [breakdownValue, total]);
  expect(found.toSorted()).toEqual(
    [
      ["1", 1],
      [1, 2],
      [null, 2],
      [true, 1],
      [{ a: 1 }, 1],
    ].toSorted(),
  );
  expect(series[0]?.total).toBe(2);
});

it.each(["a/b", "~1", "a.b", "$.x", "", "'; DROP TABLE events; --", "0", 'quo"te'])(
  "takes the name of a property literally: %s",
  async (property) => {
    const engine = await engineWith([on("2026-03-01T00:00:00Z", "a", { [property]: "found" })]);
    const { series } = await engine.trends({ ...ALL_DAYS, breakdown: property });
    expect(series.map(({ breakdownValue }) => breakdownValue)).toEqual(["found"]);
  },
);

it("gives the 25 values with the most groups a series each, and the rest one together", async () => {
  const messages = Array.from({ length: 30 }, (_, value) =>
    Array.from({ length: value < 25 ? 3 : 1 }, (_, group) => on("2026-03-01T00:00:00Z", `c${group}`, { value })),
  ).flat();
  const engine = await engineWith([...messages, on("2026-03-02T00:00:00Z", "c5", { value: 29 })]);
  const { series } = await engine.trends({ ...ALL_DAYS, breakdown: "value" });
  expect(series).toHaveLength(26);
  expect(series.slice(0, 25).every(({ total }) => total === 3)).toBe(true);
  expect(series[25]).toEqual({
    breakdownValue: "$$_posthog_breakdown_other_$$",
    total: 2,
    points: [
      { start: "2026-03-01", uniqueGroups: 1 },
      { start: "2026-03-02", uniqueGroups: 1 },
    ],
  });
});

it.each<[string, Partial<TrendsQuery>, string]>([
  ["an unknown group type", { groupType: "compani" }, "NOT_FOUND"],
  ["no date", { from: "last week" }, "INPUT_INVALID"],
  ["a day that does not exist", { to: "2026-02-30" }, "INPUT_INVALID"],
  ["a range that ends before it begins", { from: "2026-03-02", to: "2026-03-01" }, "INPUT_INVALID"],
  ["more points than anyone can read", { from: "1900-01-01", to: "2026-01-01" }, "INPUT_INVALID"],
  ["an unknown interval", { interval: "hour" as "day" }, "INPUT_INVALID"],
])("refuses %s, and says what is allowed", async (_, query, code) => {
  const engine = await engineWith([on("2026-03-01T00:00:00Z", "a")]);
  await expect(engine.trends({ ...ALL_DAYS, ...query })).rejects.toMatchObject({
    code,
    hint: expect.stringMatching(/.{15,}/),
  });
});
