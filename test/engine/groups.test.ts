import { expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import type { Engine } from "../../src/engine/open.ts";
import { ARRIVED_AT, appendMessages, eventMessage, identifyMessage } from "./messages.ts";
import { openTemporary, temporaryFile } from "./temporary.ts";

async function companies(engine: Engine, search?: string) {
  const query = { groupType: "company", limit: 100, offset: 0 };
  return engine.groups(search === undefined ? query : { ...query, search });
}

async function propertiesAfter(messages: readonly JsonObject[]): Promise<JsonObject | undefined> {
  const engine = await openTemporary();
  await appendMessages(engine, messages);
  return (await companies(engine)).groups[0]?.properties;
}

it("merges properties shallowly, in order, within a batch, with null kept as a value", async () => {
  const properties = await propertiesAfter([
    identifyMessage({ seed: 1, set: { plan: "free", seats: 3, owner: { id: 1, name: "Ann" } } }),
    identifyMessage({ seed: 2, set: { plan: "paid", owner: { id: 2 } } }),
    identifyMessage({ seed: 3, set: { seats: null } }),
  ]);
  expect(properties).toEqual({ plan: "paid", seats: null, owner: { id: 2 } });
});

it("goes by order of arrival, not by the time of the event, as PostHog does", async () => {
  const properties = await propertiesAfter([
    identifyMessage({ seed: 1, set: { plan: "new" }, timestamp: "2026-10-02T00:00:00Z" }),
    identifyMessage({ seed: 2, set: { plan: "old" }, timestamp: "2025-01-01T00:00:00Z" }),
  ]);
  expect(properties).toEqual({ plan: "old" });
});

it("does not apply a group identify again that comes again after a newer one", async () => {
  const engine = await openTemporary();
  const older = identifyMessage({ seed: 1, set: { plan: "free" } });
  await appendMessages(engine, [older, identifyMessage({ seed: 2, set: { plan: "paid" } })]);
  expect(await appendMessages(engine, [older, older])).toEqual([{ kind: "delivered" }, { kind: "delivered" }]);
  expect((await companies(engine)).groups[0]?.properties).toEqual({ plan: "paid" });
});

it("creates a group at its event, at most at its arrival, and updates it only when a property changes", async () => {
  const engine = await openTemporary();
  const inFuture = new Date(ARRIVED_AT + 60_000).toISOString();
  await appendMessages(engine, [identifyMessage({ seed: 1, set: { a: { b: 1, c: 2 } } })]);
  await appendMessages(engine, [identifyMessage({ seed: 2, set: { a: { c: 2, b: 1 } } })], ARRIVED_AT + 1000);
  await appendMessages(engine, [identifyMessage({ seed: 3, groupKey: "b.com", set: { a: 1 }, timestamp: inFuture })]);
  await appendMessages(engine, [identifyMessage({ seed: 4, groupKey: "b.com", set: { a: 2 } })], ARRIVED_AT + 5000);
  const [acme, b] = (await companies(engine)).groups;
  expect(acme).toMatchObject({ createdAt: "2026-10-01T00:00:00.000Z", updatedAt: "2026-11-01T12:00:00.000Z" });
  expect(b).toMatchObject({ createdAt: "2026-11-01T12:00:00.000Z", updatedAt: "2026-11-01T12:00:05.000Z" });
});

it("lists groups by name, then key; without any property a group is not listed", async () => {
  const engine = await openTemporary();
  await appendMessages(engine, [
    identifyMessage({ seed: 1, groupKey: "k1", set: { name: "Zebra" } }),
    identifyMessage({ seed: 2, groupKey: "k3", set: { name: "Ant" } }),
    identifyMessage({ seed: 3, groupKey: "k2", set: { name: "Ant" } }),
    identifyMessage({ seed: 4, groupKey: "Mole", set: { name: "" } }),
    identifyMessage({ seed: 5, groupKey: "k5", set: { name: 42 } }),
    identifyMessage({ seed: 6, groupKey: "empty", set: {} }),
    eventMessage({ seed: 7, groups: { company: "never identified" } }),
  ]);
  const page = await companies(engine);
  expect(page.groups.map(({ name, groupKey }) => [name, groupKey])).toEqual([
    ["42", "k5"],
    ["Ant", "k2"],
    ["Ant", "k3"],
    ["Mole", "Mole"],
    ["Zebra", "k1"],
  ]);
  expect(await engine.groupTypes()).toEqual([{ groupType: "company", index: 0, groups: 5 }]);
});

it("pages, and searches in key and name in any case", async () => {
  const engine = await openTemporary();
  await appendMessages(
    engine,
    ["Ärzte", "Bär", "Cäsar"].map((name, seed) => identifyMessage({ seed, groupKey: `key-${seed}%`, set: { name } })),
  );
  const second = await engine.groups({ groupType: "company", limit: 1, offset: 1 });
  expect([second.total, second.groups[0]?.name]).toEqual([3, "Cäsar"]);
  expect((await companies(engine, "BÄR")).groups.map(({ name }) => name)).toEqual(["Bär"]);
  expect((await companies(engine, "KEY-2%")).total).toBe(1);
  expect((await companies(engine, "%")).total).toBe(3);
  expect((await companies(engine, "' OR 1=1 --")).total).toBe(0);
});

it("gives group types an index by arrival and refuses a sixth, whoever brings it", async () => {
  const engine = await openTemporary();
  const outcomes = await appendMessages(engine, [
    eventMessage({ seed: 1, groups: { one: "a", two: "b" } }),
    identifyMessage({ seed: 2, groupType: "three", set: { a: 1 } }),
    eventMessage({ seed: 3, groups: { four: "a", five: "b" } }),
    eventMessage({ seed: 4, groups: { one: "a", six: "b" } }),
    identifyMessage({ seed: 5, groupType: "six", set: { a: 1 } }),
    eventMessage({ seed: 6, groups: { five: "a" } }),
  ]);
  expect(outcomes.map(({ kind }) => kind)).toEqual([
    "delivered",
    "delivered",
    "delivered",
    "dead",
    "dead",
    "delivered",
  ]);
  expect(outcomes[4]).toMatchObject({ reason: expect.stringContaining('"six"') });
  expect((await engine.groupTypes()).map(({ groupType }) => groupType)).toEqual([
    "one",
    "two",
    "three",
    "four",
    "five",
  ]);
});

it("keeps types, groups and events over a restart", async () => {
  const path = temporaryFile();
  const first = await openTemporary({ path });
  await appendMessages(first, [
    eventMessage({ seed: 1, groups: { project: "p" } }),
    identifyMessage({ seed: 2, set: { name: "Acme" } }),
  ]);
  await first.close();
  const second = await openTemporary({ path });
  expect((await companies(second)).groups[0]?.name).toBe("Acme");
  expect((await second.groupTypes()).map(({ groupType }) => groupType)).toEqual(["project", "company"]);
});

it("says which group types there are when asked for another", async () => {
  const engine = await openTemporary();
  const nothingYet = await engine.groups({ groupType: "compny", limit: 1, offset: 0 }).catch((thrown) => thrown);
  expect(nothingYet).toMatchObject({ code: "NOT_FOUND", hint: expect.stringContaining("No group has arrived yet") });
  await appendMessages(engine, [eventMessage({ seed: 1, groups: { project: "p", company: "c" } })]);
  const misspelt = await engine.groups({ groupType: "compny", limit: 1, offset: 0 }).catch((thrown) => thrown);
  expect(misspelt).toMatchObject({
    code: "NOT_FOUND",
    hint: 'Did you mean "company"? Known are "project", "company".',
  });
});

it.each([
  { limit: 0, offset: 0 },
  { limit: 1.5, offset: 0 },
  { limit: 10, offset: -1 },
])("refuses an impossible page: $limit from $offset", async (page) => {
  const engine = await openTemporary();
  await appendMessages(engine, [eventMessage({ seed: 1, groups: { company: "c" } })]);
  await expect(engine.groups({ groupType: "company", ...page })).rejects.toMatchObject({ code: "INPUT_INVALID" });
});
