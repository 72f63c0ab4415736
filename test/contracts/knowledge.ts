/** What group knowledge must give, wherever it is kept: the sentences of src/core/attribution/knowledge.ts. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Change,
  type Collision,
  type Identify,
  type Knowledge,
  MOST_IDS,
} from "../../src/core/attribution/knowledge.ts";
import { joins, leaves, owns } from "../core/attribution/people.ts";

export interface KnowledgeStore extends Pick<Knowledge, "apply"> {
  /** Valid until the next call of another function. */
  readonly knowledge: Knowledge;
  collisions(): readonly Collision[];
  /** What was applied stays from now on. */
  commit(): void;
  /** What was applied since the last commit never was. */
  takeBack(): void;
  /** As a process that starts finds it; what was not committed is gone. */
  reopen(): void;
  close(): void;
}

export function describeKnowledge(name: string, create: () => KnowledgeStore): void {
  describe(`${name} as group knowledge`, () => {
    let store: KnowledgeStore;
    beforeEach(() => {
      store = create();
    });
    afterEach(() => store.close());

    const known = () => store.knowledge;
    function apply(...changes: readonly Change[]): void {
      for (const change of changes) store.apply(change);
    }
    /** Before anything is written, after it is committed, and as it is read back. */
    function always(check: () => void): void {
      check();
      store.commit();
      check();
      store.reopen();
      check();
    }

    describe("memberships", () => {
      it("give the newest at or before a time, and the one before a given one, down to none", () => {
        apply(joins(20, "ann", "beta"), joins(10, "ann", "acme"), leaves(30, "ann"), joins(25, "ann", "p", "project"));
        always(() => {
          expect(known().membership("ann", "company", 9)).toBeNull();
          expect(known().membership("ann", "company", 10)).toEqual({ at: 10, joins: true, groupKey: "acme" });
          expect(walk(known(), "ann", 99)).toEqual([
            { at: 30, joins: false, groupKey: "" },
            { at: 20, joins: true, groupKey: "beta" },
            { at: 10, joins: true, groupKey: "acme" },
          ]);
          expect(known().membership("bob", "company", 99)).toBeNull();
        });
      });

      it("of one time have one order: those who join last, then by the code points of their keys", () => {
        const keys = ["\u{1f600}", "\ufb01", "z", "a", "Z"];
        apply(...keys.toReversed().map((key) => leaves(5, "ann", key)));
        apply(...keys.toReversed().map((key) => joins(5, "ann", key)));
        always(() => expect(walk(known(), "ann", 5).map(({ groupKey }) => groupKey)).toEqual([...keys, ...keys]));
      });

      it("are the same when they are said again, and when one comes after a newer one was asked for", () => {
        apply(joins(20, "ann", "beta"));
        expect(known().membership("ann", "company", 99)?.groupKey).toBe("beta");
        apply(joins(20, "ann", "beta"), joins(10, "ann", "acme"), joins(30, "ann", "core"));
        always(() => expect(walk(known(), "ann", 99).map(({ at }) => at)).toEqual([30, 20, 10]));
      });

      it("give the first that joins, whatever was left before", () => {
        apply(leaves(1, "ann"), joins(9, "ann", "acme"), joins(5, "ann", "z"), joins(5, "ann", "b"));
        always(() => {
          expect(known().firstMembership("ann", "company")).toEqual({ at: 5, joins: true, groupKey: "b" });
          expect(known().firstMembership("ann", "project")).toBeNull();
        });
      });

      it("may be of any id and key", () => {
        const odd = "a\u0000b'\"\\\u{1f600}";
        apply(joins(1, odd, odd), joins(2, "a", "other"));
        always(() => expect(known().membership(odd, "company", 9)).toEqual({ at: 1, joins: true, groupKey: odd }));
      });
    });

    describe("owners", () => {
      it("are the first to claim an id, at one time the first by name, whenever they come", () => {
        apply(owns(20, "bob", "device"));
        expect(known().owner("device")).toEqual({ id: "bob", at: 20 });
        apply(
          owns(10, "cleo", "device"),
          owns(10, "ann", "device"),
          owns(10, "ann", "device"),
          owns(30, "bob", "device"),
        );
        always(() => {
          expect(known().owner("device")).toEqual({ id: "ann", at: 10 });
          expect(known().owner("ann")).toBeNull();
        });
      });

      it("have the ids that some record says are theirs and that joined or left something, in order", () => {
        apply(owns(1, "ann", "d2"), joins(5, "d2", "acme"), joins(5, "d1", "acme"), owns(9, "ann", "d1"));
        apply(owns(1, "ann", "idle"), owns(2, "bob", "d1"), leaves(5, "d3"), owns(1, "ann", "d3"));
        always(() => {
          expect(known().idsOf("ann")).toEqual(["d1", "d2", "d3"]);
          expect(known().idsOf("bob")).toEqual(["d1"]);
          expect(known().idsOf("d1")).toEqual([]);
        });
      });

      it("have ids through which others are found, once those have something", () => {
        apply(owns(3, "ann", "old-ann"), owns(2, "old-ann", "device"));
        expect(known().idsOf("ann")).toEqual([]);
        apply(joins(1, "device", "acme"));
        always(() => expect([known().idsOf("ann"), known().idsOf("old-ann")]).toEqual([["old-ann"], ["device"]]));
        apply(owns(4, "new-ann", "ann"), owns(5, "device", "new-ann"));
        always(() => expect([known().idsOf("new-ann"), known().idsOf("device")]).toEqual([["ann"], ["new-ann"]]));
      });

      it("have no more ids than anyone looks through, in order by code points", () => {
        const ids = Array.from({ length: MOST_IDS + 5 }, (_, index) => `d${String(index).padStart(3, "0")}`);
        apply(...ids.toReversed().flatMap((id) => [owns(1, "ann", id), joins(1, id, "acme")]));
        apply(...["\ufb01", "\u{1f600}"].flatMap((id) => [owns(1, "bob", id), joins(1, id, "acme")]));
        always(() => {
          expect(known().idsOf("ann")).toEqual(ids.slice(0, MOST_IDS));
          expect(known().idsOf("bob")).toEqual(["\ufb01", "\u{1f600}"]);
        });
      });
    });

    describe("groups", () => {
      it("keep what each source said last, what was not sent, and which message carried what", () => {
        apply(
          groupChange({
            told: { plan: { value: "free", at: 1 }, city: { value: null, at: 1 } },
            sent: ["plan"],
            seq: 4,
          }),
          groupChange({ source: "crm", told: { plan: { at: 2 } }, unsent: ["plan"] }),
          groupChange({ restated: ["city"], restatedAt: 7, unsent: ["city"], sent: ["city"], seq: 6 }),
          groupChange({ restated: ["city"], restatedAt: 5, unsent: ["city"] }),
        );
        always(() =>
          expect(known().group("company", "acme")).toEqual({
            told: {
              plan: { segment: { value: "free", at: 1 }, crm: { at: 2 } },
              city: { segment: { value: null, at: 7 } },
            },
            unsent: ["city"],
            sent: { plan: 4, city: 6 },
          }),
        );
        expect(known().group("company", "other")).toBeNull();
      });

      it("may have properties and sources of any name", () => {
        const told = JSON.parse('{"__proto__":{"value":1,"at":1},"constructor":{"value":{"__proto__":2},"at":1}}');
        apply(groupChange({ source: "__proto__", told, sent: ["__proto__"], seq: 3 }));
        always(() => {
          const text = JSON.stringify(known().group("company", "acme"));
          expect(text).toContain('"__proto__":{"__proto__":{"value":1,"at":1}}');
          expect(text).toContain('"sent":{"__proto__":3}');
        });
      });

      it("know by which message for one destination a property was said again, until it is said anew", () => {
        apply(groupChange({ told: { plan: { value: 1, at: 1 } }, sent: ["plan", "city", "seats"], seq: 3 }));
        const acme = { kind: "resent", groupType: "company", groupKey: "acme", destination: "posthog" } as const;
        apply({ ...acme, names: ["plan", "city"], seq: 5 }, { ...acme, names: ["plan", "__proto__"], seq: 7 });
        apply({ ...acme, groupKey: "nobody", names: ["plan"], seq: 9 });
        const resent = () => JSON.stringify(known().group("company", "acme")?.resent);
        always(() => {
          expect(resent()).toBe('{"posthog":{"plan":7,"city":5,"__proto__":7}}');
          expect(known().group("company", "nobody")).toBeNull();
        });
        apply(groupChange({ sent: ["plan"], unsent: ["city"], seq: 8 }));
        always(() => expect(resent()).toBe('{"posthog":{"__proto__":7}}'));
      });

      it("give another type that has the key, the first by name", () => {
        for (const groupType of ["zone", "project", "company"]) apply(groupChange({ groupType }));
        apply(groupChange({ groupType: "project", groupKey: "lone" }));
        always(() => {
          expect(known().typeSharing("company", "acme")).toBe("project");
          expect(known().typeSharing("zone", "acme")).toBe("company");
          expect(known().typeSharing("project", "lone")).toBeNull();
        });
        apply(groupChange({ groupType: "area" }));
        always(() => expect(known().typeSharing("zone", "acme")).toBe("area"));
      });
    });

    describe("keys", () => {
      it("are the last thing that was said of an alias, for its group type", () => {
        apply(learn("crm:1", "acme", 5), learn("crm:1", "beta", 3));
        always(() => {
          expect(known().alias("company", "crm:1")).toEqual({ groupKey: "beta", source: "crm", at: 3 });
          expect(known().alias("project", "crm:1")).toBeNull();
        });
      });

      it("note a collision once, with its last time", () => {
        const collision = { groupType: "company", alias: "a", groupKey: "one", otherKey: "two", source: "crm" };
        const other = { ...collision, alias: "A" };
        apply(...[5, 9, 7].map((at): Change => ({ kind: "collision", ...collision, at })));
        apply({ kind: "collision", ...other, at: 1 });
        always(() =>
          expect(store.collisions()).toEqual([
            { ...other, at: 1 },
            { ...collision, at: 9 },
          ]),
        );
      });

      it("keep records that wait, in the order they came, until they are released", () => {
        const [first, second, third] = [waiting(1, ["b"]), waiting(2, ["a", "b"]), waiting(3, [], ["a"])];
        apply(...[first, second, third, { ...first, aliases: ["a"] }].map(parkChange));
        always(() => {
          expect(known().parked("company", ["a", "b"])).toEqual([first, second, third]);
          expect(known().parked("company", ["a"])).toEqual([second, third]);
          expect(known().parked("project", ["a"])).toEqual([]);
          expect(known().parked("company", [])).toEqual([]);
        });
        apply({ kind: "release", uuid: second.uuid }, { kind: "release", uuid: "nobody" });
        always(() => expect(known().parked("company", ["b", "a"])).toEqual([first, third]));
        apply(parkChange(second));
        always(() => expect(known().parked("company", ["b"])).toEqual([first, second]));
      });
    });

    it("forgets all of what was taken back, and nothing of what was before", () => {
      const before = [
        joins(1, "d", "acme"),
        owns(5, "ann", "d"),
        groupChange({}),
        learn("a", "acme", 1),
        parkChange(waiting(1, ["p"])),
      ];
      const observe = () => {
        const { membership, firstMembership, owner, idsOf, group, typeSharing, alias, parked } = known();
        return JSON.stringify([
          ...[membership("d", "company", 99), firstMembership("d", "company"), owner("d"), idsOf("ann"), idsOf("bob")],
          ...[group("company", "acme"), group("project", "acme"), typeSharing("zone", "acme"), alias("company", "a")],
          ...[alias("company", "b"), parked("company", ["p", "q"]), store.collisions()],
        ]);
      };
      apply(...before);
      store.commit();
      const expected = observe();
      apply(joins(0, "d", "old"), joins(9, "d", "beta"), owns(1, "bob", "d"), groupChange({ groupType: "project" }));
      apply(
        groupChange({ told: { x: { value: 1, at: 1 } }, unsent: ["x"] }),
        learn("a", "beta", 2),
        learn("b", "acme", 2),
      );
      apply({ kind: "release", uuid: waiting(1, []).uuid }, parkChange(waiting(2, ["q"])));
      expect(observe()).not.toBe(expected);
      store.takeBack();
      expect(observe()).toBe(expected);
      store.reopen();
      expect(observe()).toBe(expected);
      apply(joins(9, "d", "beta"));
      always(() => expect(known().membership("d", "company", 99)?.groupKey).toBe("beta"));
    });
  });
}

/** Every membership from a time down. */
export function walk({ membership }: Knowledge, id: string, at: number, groupType = "company") {
  const found = [];
  for (let next = membership(id, groupType, at); next; next = membership(id, groupType, next)) found.push(next);
  return found;
}

type GroupChange = Extract<Change, { kind: "group" }>;

export function groupChange(change: Partial<Omit<GroupChange, "kind">>): GroupChange {
  const named = { kind: "group", groupType: "company", groupKey: "acme", source: "segment" } as const;
  return { ...named, told: {}, restated: [], restatedAt: 0, unsent: [], sent: [], seq: 0, ...change };
}

export function learn(alias: string, groupKey: string, at: number): Change {
  return { kind: "alias", groupType: "company", alias, known: { groupKey, source: "crm", at } };
}

export function waiting(number: number, aliases: readonly string[], mergedAliases: readonly string[] = []): Identify {
  return {
    source: "crm",
    groupType: "company",
    groupKey: null,
    aliases,
    mergedAliases,
    fallbackKey: null,
    properties: { number },
    at: number,
    receivedAt: number,
    recordId: `r${number}`,
    uuid: `u${number}`,
  };
}

export function parkChange(identify: Identify): Change {
  return { kind: "park", identify };
}
