import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GroupRules } from "../../src/core/attribution/rules.ts";
import { type Names, observe } from "../ledger/knowledge-stores.ts";
import { groupsByReading } from "./as-of.ts";
import { createDestination, type Destination, endOf } from "./attributed.ts";
import { histories, shuffledHistories } from "./histories.ts";

const NAMES: Names = {
  ids: ["ann", "bob", "cleo", "d1", "d2", "d3", "null"],
  groupTypes: ["company", "project"],
  groupKeys: ["acme", "beta", "rocket", "core", "own"],
  aliases: [],
  until: 0,
};
/** Times in histories are in seconds. */
const everyPage = [1_000];
const RUNS = { numRuns: 300 };

type Sources = Readonly<Record<string, Partial<GroupRules>>>;

const ONE_SOURCE: readonly Sources[] = [
  { segment: {} },
  { segment: { nulls: "unset", several: "none" } },
  { segment: { nulls: "set", beforeFirst: "first" } },
];
const TWO_SOURCES: readonly Sources[] = [
  { segment: {}, crm: {} },
  {
    segment: { precedence: { default: 1, byProperty: { plan: 9 } } },
    crm: { precedence: { default: 5, byProperty: {} } },
  },
  {
    segment: { nulls: "unset", precedence: { default: 5, byProperty: {} } },
    crm: { nulls: "unset", precedence: { default: 1, byProperty: { seats: 7 } }, keyProperty: "id" },
  },
  { segment: {}, crm: { prefix: "crm_", nulls: "unset", several: "none" } },
];

function knownTo({ knowledge }: Destination): unknown {
  const walks = NAMES.ids.flatMap((id) =>
    NAMES.groupTypes.map((type) => {
      const found = [];
      for (let one = knowledge.membership(id, type, 1e9); one; one = knowledge.membership(id, type, one))
        found.push(one);
      return found;
    }),
  );
  return { walks, ...(observe({ knowledge, collisions: knowledge.collisions }, NAMES) as object) };
}

/** Which messages carried a property depends on the order by its nature. */
function withoutSent(known: unknown): unknown {
  return JSON.parse(JSON.stringify(known, (key, value) => (key === "sent" ? undefined : value)));
}

describe.each([
  ["one source", ONE_SOURCE],
  ["two sources", TWO_SOURCES],
])("a history of %s", (_, all) => {
  const sources = fc.constantFrom(...all);
  const names = Object.keys(all[0] ?? {});

  it("in any order, in pages of any size, ends in the same memberships, groups of events and properties of groups", () => {
    fc.assert(
      fc.property(sources, shuffledHistories(names), (rules, { inOrder, shuffled, pages }) => {
        const [plain, other] = [createDestination(rules), createDestination(rules)];
        plain.take({ records: inOrder, pages: everyPage, passes: 2 });
        other.take({ records: shuffled, pages, passes: 2 });
        expect(endOf(other)).toEqual(endOf(plain));
        expect(withoutSent(knownTo(other))).toEqual(withoutSent(knownTo(plain)));
      }),
      RUNS,
    );
  });

  it("in the order of its times ends in one pass as it does in two", () => {
    const withoutForesight = all.filter((rules) =>
      Object.values(rules).every(({ beforeFirst }) => beforeFirst !== "first"),
    );
    fc.assert(
      fc.property(fc.constantFrom(...withoutForesight), shuffledHistories(names), (rules, { inOrder, pages }) => {
        const [one, two] = [createDestination(rules), createDestination(rules)];
        one.take({ records: inOrder, pages, passes: 1 });
        two.take({ records: inOrder, pages: everyPage, passes: 2 });
        expect(endOf(one)).toEqual(endOf(two));
        expect(withoutSent(knownTo(one))).toEqual(withoutSent(knownTo(two)));
      }),
      RUNS,
    );
  });

  it("taken in twice changes nothing and makes no message, and without seen ids no more than its events again", () => {
    fc.assert(
      fc.property(sources, fc.boolean(), shuffledHistories(names), (rules, keepsSeen, { inOrder, shuffled, pages }) => {
        const destination = createDestination(rules, { keepsSeen });
        destination.take({ records: inOrder, pages, passes: 2 });
        const [end, known] = [endOf(destination), knownTo(destination)];
        const messages = destination.messages.length;
        destination.take({ records: shuffled, pages, passes: 1 });
        const more = destination.messages.slice(messages).map(({ event }) => event);
        expect(more.filter((event) => keepsSeen || event.startsWith("$group"))).toEqual([]);
        expect(endOf(destination)).toEqual(end);
        expect(knownTo(destination)).toEqual(known);
      }),
      RUNS,
    );
  });

  it("gives no two messages one uuid", () => {
    fc.assert(
      fc.property(sources, histories(names), (rules, records) => {
        const { messages, take } = createDestination(rules);
        take({ records, pages: [3], passes: 1 });
        expect(new Set(messages.map(({ uuid }) => uuid)).size).toBe(messages.length);
      }),
      RUNS,
    );
  });
});

it("gives every event the groups that a plain reading of the calls gives it", () => {
  fc.assert(
    fc.property(shuffledHistories(["segment"]), ({ inOrder, shuffled, pages }) => {
      const destination = createDestination({ segment: {} });
      destination.take({ records: shuffled, pages, passes: 2 });
      const expected = groupsByReading(inOrder);
      expect(Object.fromEntries([...destination.events].filter(([uuid]) => expected.has(uuid)))).toEqual(
        Object.fromEntries(expected),
      );
    }),
    { numRuns: 1000 },
  );
});
