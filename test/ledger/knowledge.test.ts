import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Change } from "../../src/core/attribution/knowledge.ts";
import { describeKnowledge, groupChange, learn, parkChange, waiting, walk } from "../contracts/knowledge.ts";
import { joins, leaves, owns } from "../core/attribution/people.ts";
import { memoryStore, type Names, observe, type SqliteStore, sqliteStore } from "./knowledge-stores.ts";

describeKnowledge("Memory", memoryStore);
describeKnowledge("SQLite", sqliteStore);

const NAMES: Names = {
  ids: ["a", "b", "c", "\ufb01", "\u{1f600}"],
  groupTypes: ["company", "project"],
  groupKeys: ["acme", "beta", "\ufb01", "\u{1f600}"],
  aliases: ["p", "q", "r"],
  until: 5,
};

const at = fc.nat(NAMES.until);
const id = fc.constantFrom(...NAMES.ids);
const groupType = fc.constantFrom(...NAMES.groupTypes);
const groupKey = fc.constantFrom(...NAMES.groupKeys);
const alias = fc.constantFrom(...NAMES.aliases);
const source = fc.constantFrom("segment", "crm");
const names = fc.subarray(["x", "y", "__proto__"]);
const told = fc.oneof(fc.record({ value: fc.constantFrom(1, null, "a", { b: [1] }), at }), fc.record({ at }));

const group = fc
  .record({ groupType, groupKey, source, restated: names, restatedAt: at, unsent: names, sent: names, seq: fc.nat(9) })
  .chain((change) =>
    fc
      .array(fc.tuple(fc.constantFrom("x", "y", "constructor"), told))
      .map((entries) => groupChange({ ...change, told: Object.fromEntries(entries) })),
  );

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(at, id, groupKey, groupType).map((one) => joins(...one)) },
  fc.tuple(at, id, fc.oneof(groupKey, fc.constant("")), groupType).map((one) => leaves(...one)),
  { weight: 3, arbitrary: fc.tuple(at, id, id).map((one) => owns(...one)) },
  { weight: 2, arbitrary: group },
  fc.tuple(alias, groupKey, at).map((one) => learn(...one)),
  fc
    .record({ groupType, alias, groupKey, otherKey: groupKey, source, at })
    .map((collision): Change => ({ kind: "collision", ...collision })),
  fc
    .tuple(fc.nat(4), fc.subarray([...NAMES.aliases]), fc.subarray([...NAMES.aliases]))
    .map(([number, ...aliases]) => parkChange(waiting(number, ...aliases))),
  fc.nat(4).map((number): Change => ({ kind: "release", uuid: `u${number}` })),
);

const transaction = fc.record({
  changes: fc.array(change, { maxLength: 12 }),
  /** Asked for before they are made, so that what is cached must not stay as it was. */
  isObserved: fc.boolean(),
  ends: fc.constantFrom("commit" as const, "commit" as const, "takeBack" as const, "reopen" as const),
});

it("gives the same answers in memory and on disk after any changes, taken back or not, and told again from the log", () => {
  fc.assert(
    fc.property(fc.array(transaction, { minLength: 1, maxLength: 6 }), (transactions) => {
      const [memory, sqlite, again] = [memoryStore(), sqliteStore(), sqliteStore()];
      try {
        for (const { changes, isObserved, ends } of transactions) {
          if (isObserved) observe(sqlite, NAMES);
          for (const one of changes) for (const store of [memory, sqlite]) store.apply(one);
          expect(observe(sqlite, NAMES)).toEqual(observe(memory, NAMES));
          for (const store of [memory, sqlite]) store[ends]();
          expect(observe(sqlite, NAMES)).toEqual(observe(memory, NAMES));
        }
        for (const store of [memory, sqlite]) store.reopen();
        expect(observe(sqlite, NAMES)).toEqual(observe(memory, NAMES));
        for (const one of sqlite.logged) again.knowledge.redo(one);
        again.knowledge.flush();
        expect(observe(again, NAMES)).toEqual(observe(memory, NAMES));
        expect(again.knowledge.takeChanges()).toEqual([]);
      } finally {
        for (const store of [memory, sqlite, again]) store.close();
      }
    }),
    { numRuns: 100 },
  );
});

describe("knowledge on disk", () => {
  let store: SqliteStore;
  beforeEach(() => {
    store = sqliteStore();
  });
  afterEach(() => store.close());

  function apply(...changes: readonly Change[]): void {
    for (const one of changes) store.apply(one);
  }

  it("tells the log only what was not known", () => {
    apply(
      joins(1, "ann", "acme"),
      owns(1, "ann", "d"),
      joins(1, "ann", "acme"),
      owns(1, "ann", "d"),
      owns(9, "ann", "d"),
    );
    store.commit();
    store.reopen();
    apply(joins(1, "ann", "acme"), owns(1, "ann", "d"), owns(7, "ann", "d"), owns(9, "bob", "d"));
    expect([...store.logged, ...store.knowledge.takeChanges()]).toEqual([
      joins(1, "ann", "acme"),
      owns(1, "ann", "d"),
      owns(9, "bob", "d"),
    ]);
  });

  it("lists everybody who ever joined a group, whatever was known of them first", () => {
    apply(leaves(20, "ann", "acme"), joins(10, "ann", "acme"), joins(30, "bob", "beta"), joins(5, "bob", "acme"));
    apply(
      joins(40, "cleo", "acme"),
      joins(50, "cleo", "acme"),
      leaves(1, "dan", "acme"),
      joins(9, "eve", "acme", "project"),
    );
    const { people } = store.knowledge;
    expect(people.membersOf("company", "acme", 10)).toEqual(["ann", "bob", "cleo"]);
    expect(people.membersOf("company", "acme", 2)).toEqual(["ann", "bob"]);
    expect(people.lastJoinOf("cleo", "company", "acme")).toBe(50);
    expect(people.lastJoinOf("dan", "company", "acme")).toBe(0);
  });

  it("lists exactly those who joined, for any history", () => {
    const memberships = fc.array(fc.tuple(at, fc.constantFrom("a", "b"), groupKey, fc.boolean()), { maxLength: 15 });
    fc.assert(
      fc.property(memberships, (all) => {
        store.takeBack();
        for (const [time, one, key, isJoin] of all) apply(isJoin ? joins(time, one, key) : leaves(time, one, key));
        for (const key of NAMES.groupKeys) {
          const joined = new Set(all.filter(([, , other, isJoin]) => isJoin && other === key).map(([, one]) => one));
          expect(store.knowledge.people.membersOf("company", key, 9)).toEqual([...joined].sort());
        }
      }),
    );
  });

  it("owes a group what is said to have died, until it is sent again, and nothing to a group it does not know", () => {
    apply(groupChange({ told: { x: { value: 1, at: 1 } }, unsent: ["y"], sent: ["x"], seq: 1 }));
    const { groups } = store.knowledge;
    const acme = { groupType: "company", groupKey: "acme", destination: "posthog" };
    groups.markUnsent(acme, ["x", "y", "z"]);
    groups.markUnsent({ ...acme, groupKey: "nobody" }, ["x"]);
    store.commit();
    store.reopen();
    expect(store.knowledge.group("company", "acme")?.unsent).toEqual(["y", "x", "z"]);
    expect(store.knowledge.group("company", "nobody")).toBeNull();
    store.knowledge.groups.markUnsent(acme, ["w"]);
    store.takeBack();
    expect(store.knowledge.group("company", "acme")?.unsent).toEqual(["y", "x", "z"]);
  });

  it("counts groups, aliases, collisions and records that wait, and lists keys that two types share", () => {
    for (const type of ["zone", "company"]) apply(groupChange({ groupType: type }));
    apply(
      groupChange({ groupKey: "lone" }),
      learn("b", "acme", 1),
      learn("a", "acme", 1),
      parkChange(waiting(1, ["p"])),
    );
    store.commit();
    const { groups, keys } = store.knowledge;
    expect(groups.counts()).toEqual({ company: 2, zone: 1 });
    expect(groups.sharedKeys(9).map(({ groupKey: key, groupTypes }) => [key, groupTypes.toSorted()])).toEqual([
      ["acme", ["company", "zone"]],
    ]);
    expect(keys.counts()).toEqual({ aliases: 2, collisions: 0, parked: 1 });
    expect(keys.aliasesOf("company", "acme")).toEqual(["a", "b"]);
    expect(keys.listParked(9)).toEqual([waiting(1, ["p"])]);
  });

  it("knows the first of very many who claim one id, and all of them once it has joined something", () => {
    for (let index = 0; index < 20_000; index++) apply(owns(index, `user-${index}`, "kiosk"));
    expect(store.knowledge.owner("kiosk")).toEqual({ id: "user-0", at: 0 });
    apply(joins(1, "kiosk", "acme"));
    expect(walk(store.knowledge, "kiosk", 9)).toHaveLength(1);
    expect(store.knowledge.idsOf("user-19999")).toEqual(["kiosk"]);
  });
});
