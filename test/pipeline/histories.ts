/** Random histories of calls: who belongs to what, and what is said of it. */

import fc from "fast-check";
import type { JsonObject } from "../../src/core/json.ts";
import type { SourceRecord } from "../../src/core/record.ts";

const user = fc.constantFrom("ann", "bob", "cleo");
const device = fc.constantFrom("d1", "d2", "d3", "null");
const company = fc.constantFrom("acme", "beta");
const person = fc.oneof(
  user.map((userId) => ({ userId })),
  device.map((anonymousId) => ({ anonymousId })),
  fc.record({ userId: user, anonymousId: device }),
);

const traits = fc.dictionary(
  fc.constantFrom("plan", "seats", "note"),
  fc.constantFrom<JsonObject[string]>("free", "pro", 1, 2, null, { b: 1, a: 2 }),
  { maxKeys: 2, noNullPrototype: true },
);

const call: fc.Arbitrary<JsonObject> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(person, company, traits).map(([who, groupId, said]) => group(who, groupId, said)) },
  fc
    .tuple(person, fc.constantFrom("rocket", "acme"), traits)
    .map(([who, groupId, said]) => group(who, groupId, { ...said, groupType: "project" })),
  {
    weight: 2,
    arbitrary: fc.record({ userId: user, anonymousId: device }).map((ids) => ({ type: "identify", ...ids })),
  },
  fc
    .tuple(person, company)
    .map(([who, id]): JsonObject => ({ type: "identify", ...who, traits: { company: { id }, name: "x" } })),
  fc.record({ userId: user, previousId: fc.oneof(user, device) }).map((ids) => ({ type: "alias", ...ids })),
  { weight: 4, arbitrary: person.map((who): JsonObject => ({ type: "track", event: "Seen", ...who })) },
  fc
    .tuple(
      person,
      fc.constantFrom<JsonObject>({ company: "core" }, { project: "own" }, { company: "core", project: "own" }),
    )
    .map(
      ([who, $groups]): JsonObject => ({
        type: "track",
        event: "Told",
        ...who,
        properties: { $groups, deep: { a: {} } },
      }),
    ),
);

function group(who: JsonObject, groupId: string, said: JsonObject): JsonObject {
  return { type: "group", ...who, groupId, traits: said };
}

/** In the order of their times, of which there are no two alike. */
export function histories(sources: readonly string[]): fc.Arbitrary<readonly SourceRecord[]> {
  const records = fc.array(fc.tuple(fc.constantFrom(...sources), call), { minLength: 1, maxLength: 14 });
  return records.map((calls) =>
    calls.map(([source, payload], index): SourceRecord => {
      const at = 1_000 * (index + 1);
      return { source, id: `m${index}`, occurredAt: at, statedAt: at, receivedAt: at + 1, payload };
    }),
  );
}

export interface Shuffled {
  readonly inOrder: readonly SourceRecord[];
  readonly shuffled: readonly SourceRecord[];
  readonly pages: readonly number[];
}

export function shuffledHistories(sources: readonly string[]): fc.Arbitrary<Shuffled> {
  return histories(sources).chain((inOrder) =>
    fc.record({
      inOrder: fc.constant(inOrder),
      shuffled: fc.shuffledSubarray([...inOrder], { minLength: inOrder.length, maxLength: inOrder.length }),
      pages: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
    }),
  );
}
