/** What counts as a difference between what a destination was sent of a group and what it shows. */

import { expect, it } from "vitest";
import { compareGroup } from "../../src/core/group-comparison.ts";
import type { Arrival, HeldProperty } from "../../src/core/group-knowledge.ts";

const SETTLED = 1000;
const at = (arrival: Arrival, value?: HeldProperty["value"]) =>
  value === undefined ? { arrival } : { value, arrival };

function compare(properties: Readonly<Record<string, HeldProperty>>, shown: Parameters<typeof compareGroup>[1]) {
  const { differences, leftOut } = compareGroup({ properties }, shown, SETTLED);
  return { names: differences.map(({ name }) => name), leftOut: [...leftOut] };
}

it("compares values whatever the order of their keys, and says both sides", () => {
  const properties = { same: at(1, { a: 1, b: [null] }), list: at(1, [1, 2]), none: at(1, null), text: at(1, "1") };
  const shown = { same: { b: [null], a: 1 }, list: [2, 1], text: 1, theirs: true };
  expect(compareGroup({ properties }, shown, SETTLED).differences).toEqual([
    { name: "list", expected: [1, 2], shown: [2, 1] },
    { name: "none", expected: null },
    { name: "text", expected: "1", shown: 1 },
  ]);
});

it("finds what should be gone only where it is still there", () => {
  const properties = { gone: at(1), __proto__: at(1, 5) };
  expect(compare({ gone: at(1) }, { gone: 0 })).toEqual({ names: ["gone"], leftOut: [] });
  expect(compare(properties, {})).toEqual({ names: [], leftOut: [] });
  expect(compare({ gone: at(1) }, null)).toEqual({ names: [], leftOut: [] });
});

it("leaves out what is on its way, owed or too new to be shown, and compares the rest", () => {
  const properties = {
    waits: at("waiting", 1),
    dead: at("unsent", 1),
    fresh: at(SETTLED + 1, 1),
    settled: at(SETTLED, 1),
    old: at(null, 1),
    never: at("never", 1),
  };
  expect(compare(properties, {})).toEqual({
    names: ["settled", "old", "never"],
    leftOut: ["waiting", "owed", "settling"],
  });
  expect(compare(properties, null).names).toEqual(["settled", "old", "never"]);
});
