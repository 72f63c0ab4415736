/** What destinations have of a group in the end, whatever order it was said in, against a plain reading of what was said. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { DEFAULT_GROUP_RULES, type RulesBySource, rulesOf } from "../../../src/core/attribution/rules.ts";
import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import { canonical } from "../../../src/core/mapping/examples.ts";
import { createGroupStore, rulesFor, type Saying } from "./group-store.ts";

const RULES = [
  {},
  rulesFor({ segment: { nulls: "unset" }, crm: { nulls: "set" } }),
  rulesFor({
    segment: { precedence: { default: 1, byProperty: { a: 9 } } },
    crm: { precedence: { default: 5, byProperty: { b: 0 } }, nulls: "unset", keyProperty: "id" },
  }),
  rulesFor({ segment: { nulls: "unset", prefix: "crm_" }, crm: { prefix: "crm_", keyProperty: "b" } }),
  rulesFor({ segment: {}, crm: { prefix: "c", precedence: { default: 3, byProperty: {} }, nulls: "unset" } }),
];

const value = fc.constantFrom<JsonValue>(
  null,
  1,
  2,
  "x",
  "\u{1f600}",
  { p: 1, q: [2] },
  { q: [2], p: 1 },
  { p: [0] },
  true,
);
const name = fc.constantFrom("a", "b", "ca", "group_key", "__proto__");
const saying: fc.Arbitrary<Saying> = fc.record({
  source: fc.constantFrom("segment", "crm"),
  at: fc.nat(4),
  properties: fc.array(fc.tuple(name, value), { maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
});
const history = fc.array(saying, { minLength: 1, maxLength: 10 });
const shuffled = history.chain((all) =>
  fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
);

it("is the same for any order, and what a plain reading gives", () => {
  fc.assert(
    fc.property(shuffled, fc.constantFrom(...RULES), ([sayings, others], rules) => {
      const expected = text(readPlainly(sayings, rules));
      for (const all of [sayings, others, [...others, ...sayings]]) {
        const group = createGroupStore(rules);
        for (const one of all) group.tell(one);
        expect(text(group.properties())).toEqual(expected);
      }
    }),
    { numRuns: 2000 },
  );
});

it("is sent once: the same again, in any order, sends nothing and changes nothing", () => {
  fc.assert(
    fc.property(shuffled, fc.constantFrom(...RULES), ([sayings, others], rules) => {
      const group = createGroupStore(rules);
      for (const one of sayings) group.tell(one);
      const known = JSON.stringify(group.state());
      for (const one of others) expect(group.tell(one)).toMatchObject({ set: {}, unset: [], change: null });
      expect(JSON.stringify(group.state())).toBe(known);
    }),
    { numRuns: 500 },
  );
});

it("arrives in the end, whatever was lost on the way, with the next that is said", () => {
  const lost = fc.array(fc.boolean(), { minLength: 10, maxLength: 10 });
  fc.assert(
    fc.property(history, lost, fc.constantFrom(...RULES), (sayings, losses, rules) => {
      const group = createGroupStore(rules);
      for (const [index, one] of sayings.entries()) {
        const { set, unset } = group.tell(one);
        if (losses[index]) group.lose(...Object.keys(set), ...unset);
      }
      const last = { source: "segment", at: 0, properties: {} };
      group.tell(last);
      expect(text(group.properties())).toEqual(text(readPlainly([...sayings, last], rules)));
    }),
    { numRuns: 500 },
  );
});

it("takes no more messages than there are changes: in order, one for each saying that makes a difference", () => {
  const inOrder = history.map((all) => all.toSorted((one, other) => one.at - other.at));
  fc.assert(
    fc.property(inOrder, fc.constantFrom(...RULES), (sayings, rules) => {
      const group = createGroupStore(rules);
      for (const [index, one] of sayings.entries()) {
        const { set, unset } = group.tell(one);
        const before = index === 0 ? {} : readPlainly(sayings.slice(0, index), rules);
        const isChange = canonical(before) !== canonical(readPlainly(sayings.slice(0, index + 1), rules));
        expect(Object.keys(set).length + unset.length > 0).toBe(isChange);
      }
    }),
    { numRuns: 500 },
  );
});

interface Word {
  readonly value: JsonValue | undefined;
  readonly weight: readonly (number | string)[];
}

/** Of each source the last word on each property; of those the one that weighs most. */
function readPlainly(sayings: readonly Saying[], rules: RulesBySource): JsonObject {
  const keyNames = [...Object.values(rules), DEFAULT_GROUP_RULES].map(({ keyProperty }) => keyProperty);
  const words = new Map<string, Map<string, Word>>();
  const properties = new Map<string, JsonValue>();
  for (const { source = "", at, properties: said } of sayings) {
    const { nulls, prefix, precedence, keyProperty } = rulesOf(rules, source);
    properties.set(keyProperty, "acme");
    for (const [key, one] of Object.entries(said)) {
      if ((one === null && nulls === "skip") || keyNames.includes(prefix + key)) continue;
      const rank = Object.hasOwn(precedence.byProperty, key) ? precedence.byProperty[key] : precedence.default;
      const isRemoved = one === null && nulls === "unset";
      const word = { value: isRemoved ? undefined : one, weight: [rank ?? 0, at, isRemoved ? "" : canonical(one)] };
      const bySource = words.get(prefix + key) ?? new Map<string, Word>();
      words.set(prefix + key, bySource);
      const last = bySource.get(source);
      if (!last || isHeavier(word.weight, last.weight)) bySource.set(source, word);
    }
  }
  for (const [key, bySource] of words) {
    const left = [...bySource]
      .filter(([, word]) => word.value !== undefined)
      .map(([source, { value: one, weight }]) => ({ one, weight: [weight[0] ?? 0, weight[1] ?? 0, source] }));
    const heaviest = left.reduce(
      (one, other) => (isHeavier(other.weight, one.weight) ? other : one),
      left[0] ?? NOTHING,
    );
    if (heaviest.one !== undefined) properties.set(key, heaviest.one);
  }
  return Object.fromEntries(properties);
}

const NOTHING = { one: undefined, weight: [Number.NEGATIVE_INFINITY, 0, ""] };

function isHeavier(one: Word["weight"], other: Word["weight"]): boolean {
  const place = one.findIndex((part, index) => part !== other[index]);
  return place >= 0 && (one[place] ?? 0) > (other[place] ?? 0);
}

function text(properties: JsonObject): readonly string[] {
  return Object.entries(properties)
    .map(([key, one]) => `${key}: ${canonical(one)}`)
    .sort();
}
