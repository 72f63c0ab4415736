import fc from "fast-check";
import { expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import type { Engine } from "../../src/engine/open.ts";
import { ARRIVED_AT, appendMessages, eventMessage, identifyMessage, uuidFrom } from "./messages.ts";
import { openTemporary } from "./temporary.ts";

/** Distinct `project` groups of an event: told apart by their keys, they count the events. */
async function projects(engine: Engine, event: string | null = null): Promise<number> {
  const query = { groupType: "project", event, interval: "month", from: null, to: null, breakdown: null } as const;
  return (await engine.trends(query)).series[0]?.total ?? 0;
}

it.each<[string, JsonObject, number]>([
  ["the same uuid, event, distinct id and day", {}, 1],
  ["another time of that day", { timestamp: "2026-10-01T23:59:59.999Z" }, 1],
  ["the uuid in capitals", { uuid: uuidFrom(1).toUpperCase() }, 1],
  ["another day", { timestamp: "2026-10-02T00:00:00Z" }, 2],
  ["another event", { event: "Typed" }, 2],
  ["another distinct id", { distinct_id: "user-2" }, 2],
  ["another uuid", { uuid: uuidFrom(2) }, 2],
])("keeps one event per identity: %s", async (_, difference, expected) => {
  for (const inOneBatch of [true, false]) {
    const engine = await openTemporary();
    const first = eventMessage({ seed: 1, groups: { project: "a" } });
    const second = { ...first, properties: { $groups: { project: "b" } }, ...difference };
    if (inOneBatch) await appendMessages(engine, [first, second]);
    else for (const message of [first, second]) await appendMessages(engine, [message]);
    expect(await projects(engine)).toBe(expected);
  }
});

it("makes a uuid where there is none, and takes the arrival for a missing timestamp", async () => {
  const engine = await openTemporary();
  const bare = (project: number): JsonObject => ({
    event: "Clicked",
    distinct_id: 7,
    properties: { $groups: { project } },
  });
  await appendMessages(engine, [bare(1), { ...bare(2), uuid: "", timestamp: null }]);
  const { series } = await engine.trends({
    groupType: "project",
    event: "Clicked",
    interval: "day",
    from: null,
    to: null,
    breakdown: null,
  });
  expect(series[0]).toMatchObject({ total: 2, points: [{ start: "2026-11-01", uniqueGroups: 2 }] });
});

it.each<[string, string]>([
  ["not JSON", "{"],
  ["no JSON object", "[]"],
  ["no event", '{"distinct_id":"u"}'],
  ["an empty event", '{"event":"","distinct_id":"u"}'],
  ["no distinct id", '{"event":"e"}'],
  ["properties that are no object", '{"event":"e","distinct_id":"u","properties":[]}'],
  ["an unreadable uuid", '{"event":"e","distinct_id":"u","uuid":"42"}'],
  ["an unreadable time", '{"event":"e","distinct_id":"u","timestamp":"yesterday"}'],
  ["a day that does not exist", '{"event":"e","distinct_id":"u","timestamp":"2026-02-30T00:00:00Z"}'],
  ["a group identify without a key", '{"event":"$groupidentify","distinct_id":"u","properties":{"$group_type":"t"}}'],
  [
    "a group identify whose properties are no object",
    '{"event":"$groupidentify","distinct_id":"u","properties":{"$group_type":"t","$group_key":"k","$group_set":"x"}}',
  ],
  [
    "a group key that is too long",
    `{"event":"$groupidentify","distinct_id":"u","properties":{"$group_type":"t","$group_key":"${"k".repeat(401)}"}}`,
  ],
  ["an unsafe group type", '{"event":"e","distinct_id":"u","properties":{"$groups":{"__proto__":"k"}}}'],
])("gives a message up alone, with a reason: %s", async (_, body) => {
  const engine = await openTemporary();
  const good = (seed: number) => Buffer.from(JSON.stringify(eventMessage({ seed, groups: { project: seed } })));
  const outcomes = await engine.append([good(1), Buffer.from(body), good(2)], ARRIVED_AT);
  expect(outcomes.map(({ kind }) => kind)).toEqual(["delivered", "dead", "delivered"]);
  expect(outcomes[1]).toMatchObject({
    reason: expect.stringMatching(/^engine: .{10,}/),
    code: expect.stringMatching(/^[a-z_]+$/),
  });
  expect(await projects(engine)).toBe(2);
});

it("does nothing to the groups of a personless event, as PostHog does", async () => {
  const engine = await openTemporary();
  const personless = { $process_person_profile: false };
  const outcomes = await appendMessages(engine, [
    eventMessage({ seed: 1, groups: { project: "a" } }),
    eventMessage({ seed: 2, groups: { project: "b" }, properties: personless }),
    { ...eventMessage({ seed: 3, groups: { project: "c" } }), distinct_id: " Anonymous " },
  ]);
  expect(outcomes).toEqual([
    { kind: "delivered" },
    { kind: "delivered" },
    { kind: "delivered", code: "person_processing_disabled", note: expect.stringContaining("reserved distinct id") },
  ]);
  expect(await projects(engine)).toBe(1);
});

it("leaves out groups whose key is empty or no text", async () => {
  const engine = await openTemporary();
  const keys = ["", null, true, ["a"], { a: 1 }, "real"];
  await appendMessages(
    engine,
    keys.map((project, seed) => ({ ...eventMessage({ seed }), properties: { $groups: { project } } })),
  );
  expect(await projects(engine)).toBe(1);
});

it("takes whatever text comes: halves of surrogate pairs, NUL, quotes, huge numbers, __proto__", async () => {
  const engine = await openTemporary();
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 12 });
  const awkward = fc.oneof(text, fc.constantFrom("\ud800", "\\ud800", "\\\\\udfff\ud800", "\0", "'\"--", "__proto__"));
  const message = fc.record({ event: awkward, key: awkward, property: awkward, value: fc.oneof(awkward, fc.double()) });
  let seed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 5 }), async (fields) => {
      const outcomes = await appendMessages(
        engine,
        fields.flatMap(({ event, key, property, value }) => {
          const properties = JSON.parse(`{${JSON.stringify(property)}:${JSON.stringify(value)}}`) as JsonObject;
          return [
            eventMessage({ event, seed: ++seed, groups: { project: key }, properties }),
            identifyMessage({ seed: ++seed, groupType: "project", groupKey: key, set: properties }),
          ];
        }),
      );
      expect(outcomes.filter(({ kind }) => kind !== "delivered")).toEqual([]);
      for (const { event, key, property } of fields) {
        expect(await projects(engine, event)).toBeGreaterThan(0);
        const query = { groupType: "project", event, interval: "day", from: null, to: null } as const;
        const { series } = await engine.trends({ ...query, breakdown: property });
        expect(series.length).toBeGreaterThan(0);
        const found = await engine.groups({
          groupType: "project",
          limit: 1,
          offset: 0,
          search: key.replaceAll("\0", "\ufffd"),
        });
        expect(found.total).toBeGreaterThan(0);
      }
    }),
    { numRuns: 25 },
  );
});

it("takes numbers that JSON allows and doubles cannot hold, and deep nesting, without harm to its neighbours", async () => {
  const engine = await openTemporary();
  const body = (properties: string) => Buffer.from(`{"event":"e","distinct_id":"u","properties":${properties}}`);
  const deep = `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  const outcomes = await engine.append(
    [body('{"a":1e999,"$groups":{"project":"p"}}'), body(deep), body('{"a":1,"$groups":{"project":"q"}}')],
    ARRIVED_AT,
  );
  expect(outcomes.map(({ kind }) => kind)).toEqual(["delivered", "dead", "delivered"]);
  const query = { groupType: "project", event: null, interval: "day", from: null, to: null } as const;
  const { series } = await engine.trends({ ...query, breakdown: "a" });
  expect(series.map(({ breakdownValue }) => breakdownValue)).toEqual([1, null]);
});

it("takes many appends at once, each with its own outcomes", async () => {
  const engine = await openTemporary();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, seed) =>
      appendMessages(engine, [
        eventMessage({ seed, groups: { project: seed } }),
        seed % 5 === 0 ? {} : eventMessage({ seed }),
      ]),
    ),
  );
  expect(answers.map((outcomes) => outcomes.map(({ kind }) => kind))).toEqual(
    answers.map((_, seed) => ["delivered", seed % 5 === 0 ? "dead" : "delivered"]),
  );
  expect(await projects(engine)).toBe(50);
});

it("does nothing for an empty batch, and refuses questions once closed", async () => {
  const engine = await openTemporary();
  expect(await engine.append([], ARRIVED_AT)).toEqual([]);
  const last = appendMessages(engine, [eventMessage({ seed: 1 })]);
  await Promise.all([engine.close(), engine.close()]);
  expect(await last).toEqual([{ kind: "delivered" }]);
  await expect(engine.groupTypes()).rejects.toMatchObject({ code: "STOPPING" });
});
