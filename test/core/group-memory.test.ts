import fc from "fast-check";
import { expect, it } from "vitest";
import { createGroupMemory } from "../../src/core/group-memory.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { listedGroups } from "../../src/core/known-groups.ts";

const READS = [
  { groupType: "company", property: "crm_id", gives: null },
  { groupType: "company", property: null, gives: "plan" },
];

const identify = (groupKey: string, properties: JsonObject, occurredAt = 0, groupType = "company") => ({
  groupType,
  groupKey,
  properties,
  occurredAt,
});

it("keeps of each group what mappings ask for, and nothing of types they do not ask for", () => {
  const memory = createGroupMemory(READS);
  expect(memory.note(identify("acme", { crm_id: "1", plan: "pro", seats: 9 }))).toEqual(
    identify("acme", { crm_id: "1", plan: "pro" }),
  );
  expect(memory.note(identify("p1", { plan: "pro" }, 0, "project"))).toBeNull();
  expect(memory.byKey("company", "acme")).toEqual({ crm_id: "1", plan: "pro" });
  expect(memory.byKey("company", "nobody")).toBeNull();
  expect(memory.byKey("project", "p1")).toBeNull();
});

it("tells what the ledger has to keep, and only when something is new", () => {
  const memory = createGroupMemory(READS);
  memory.note(identify("acme", { plan: "free" }, 5));
  memory.stored([identify("acme", { plan: "free" }, 5)]);
  expect(memory.note(identify("acme", { seats: 3 }, 6))).toBeNull();
  expect(memory.note(identify("acme", { plan: "pro" }, 7))).toEqual(identify("acme", { plan: "pro" }, 7));
});

it("tells it again and again until the ledger has it, and has the last of it", () => {
  const memory = createGroupMemory(READS);
  const first = memory.note(identify("acme", { plan: "free" }, 5)) ?? fail();
  expect(memory.note(identify("acme", { plan: "free" }, 5))).toEqual(first);
  const second = memory.note(identify("acme", { plan: "pro" }, 6)) ?? fail();
  memory.stored([first]);
  expect(memory.note(identify("acme", {}, 6))).toEqual(second);
  memory.stored([second]);
  expect(memory.note(identify("acme", {}, 6))).toBeNull();
  // An earlier commit that had to wait for room came after.
  memory.stored([first]);
  expect(memory.note(identify("acme", {}, 6))).toEqual(second);
});

it("lets an older identify add what is missing and change nothing", () => {
  const memory = createGroupMemory(READS);
  memory.note(identify("acme", { plan: "pro" }, 10));
  expect(memory.note(identify("acme", { plan: "free", crm_id: "1" }, 9))).toEqual(
    identify("acme", { plan: "pro", crm_id: "1" }, 10),
  );
});

it("finds a group by a property only while it alone has that value, of the same type", () => {
  const memory = createGroupMemory(READS);
  memory.note(identify("acme", { crm_id: "1" }));
  expect(memory.byProperty("company", "crm_id", "1")?.groupKey).toBe("acme");
  expect(memory.byProperty("company", "crm_id", 1)).toBeNull();
  memory.note(identify("beta", { crm_id: "1" }));
  expect(memory.byProperty("company", "crm_id", "1")).toBeNull();
  memory.note(identify("beta", { crm_id: "2" }));
  expect(memory.byProperty("company", "crm_id", "1")?.groupKey).toBe("acme");
});

it("goes on from what it was loaded with", () => {
  const memory = createGroupMemory(READS);
  memory.load([identify("acme", { crm_id: "1", plan: "pro" }, 3), identify("p1", {}, 0, "project")]);
  expect(memory.byProperty("company", "crm_id", "1")?.groupKey).toBe("acme");
  expect(memory.note(identify("acme", { crm_id: "1" }, 4))).toBeNull();
});

it("answers as a plain list of the groups would, whatever was noted in whatever order", () => {
  const value = fc.constantFrom<string | number | boolean | null>("1", 1, true, null, "x");
  const properties = fc.dictionary(fc.constantFrom("crm_id", "plan"), value);
  const noted = fc.record({ groupKey: fc.constantFrom("a", "b", "c"), properties, occurredAt: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(noted), (all) => {
      const memory = createGroupMemory(READS);
      const groups = new Map<string, { properties: JsonObject; occurredAt: number }>();
      for (const { groupKey, properties: told, occurredAt } of all) {
        const known = groups.get(groupKey) ?? { properties: {}, occurredAt: -1 };
        const isNewer = occurredAt >= known.occurredAt;
        const merged = isNewer ? { ...known.properties, ...told } : { ...told, ...known.properties };
        groups.set(groupKey, { properties: merged, occurredAt: Math.max(occurredAt, known.occurredAt) });
        memory.note(identify(groupKey, told, occurredAt));
      }
      const list = listedGroups([...groups].map(([groupKey, group]) => ({ ...identify(groupKey, group.properties) })));
      for (const key of ["a", "b", "c"]) expect(memory.byKey("company", key)).toEqual(list.byKey("company", key));
      for (const one of ["1", 1, true, "x"]) {
        const found = memory.byProperty("company", "crm_id", one)?.groupKey;
        expect(found).toBe(list.byProperty("company", "crm_id", one)?.groupKey);
      }
    }),
  );
});

function fail(): never {
  throw new Error("there should be something here");
}
