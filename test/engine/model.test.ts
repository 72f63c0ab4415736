import fc from "fast-check";
import { expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import type { Engine } from "../../src/engine/open.ts";
import { appendMessages, eventMessage, identifyMessage } from "./messages.ts";
import { createModel, type Model, type ModelMessage } from "./model.ts";
import { openTemporary } from "./temporary.ts";

const FIRST_DAY = Date.UTC(2026, 1, 20);
const DAY_MS = 86_400_000;

const company = fc.constantFrom("a", "b", "c", "d");
const value = fc.constantFrom(1, 2, "x", null, true);
const shared = { seed: fc.nat({ max: 12 }), day: fc.nat({ max: 20 }) };

const message: fc.Arbitrary<ModelMessage> = fc.oneof(
  fc.record({
    kind: fc.constant("event" as const),
    ...shared,
    event: fc.constantFrom("Clicked", "Typed"),
    company: fc.option(company),
    plan: value,
  }),
  fc.record({
    kind: fc.constant("identify" as const),
    ...shared,
    company,
    set: fc.dictionary(fc.constantFrom("p", "q", "name"), value, { maxKeys: 2 }),
  }),
);

/** Batches, some of which come twice, whole or in part: as after a crash before they were confirmed. */
const deliveries = fc
  .array(
    fc.record({ batch: fc.array(message, { maxLength: 8 }), redelivered: fc.nat({ max: 8 }), twice: fc.boolean() }),
    {
      maxLength: 6,
    },
  )
  .map((steps) =>
    steps.flatMap(({ batch, redelivered, twice }) => (twice ? [batch.slice(0, redelivered), batch] : [batch])),
  );

it("ends in the state of a simple model, however batches are cut and repeated", async () => {
  await fc.assert(
    fc.asyncProperty(deliveries, async (batches) => {
      const engine = await openTemporary();
      const model = createModel();
      try {
        await appendMessages(engine, [eventMessage({ seed: "type", groups: { company: "z" }, event: "First" })]);
        for (const batch of batches) {
          for (const one of batch) model.apply(one);
          const outcomes = await appendMessages(engine, batch.map(toMessage));
          expect(outcomes.every(({ kind }) => kind === "delivered")).toBe(true);
        }
        await expectSame(engine, model);
      } finally {
        await engine.close();
      }
    }),
    { numRuns: 30 },
  );
});

function toMessage(one: ModelMessage): JsonObject {
  const timestamp = new Date(FIRST_DAY + one.day * DAY_MS).toISOString();
  const { seed } = one;
  if (one.kind === "identify") return identifyMessage({ seed, timestamp, groupKey: one.company, set: one.set });
  const groups = one.company === null ? {} : { groups: { company: one.company } };
  return eventMessage({ seed, event: one.event, timestamp, properties: { plan: one.plan }, ...groups });
}

async function expectSame(engine: Engine, model: Model): Promise<void> {
  const { groups } = await engine.groups({ groupType: "company", limit: 100, offset: 0 });
  expect(Object.fromEntries(groups.map(({ groupKey, properties }) => [groupKey, properties]))).toEqual(model.groups());
  const range = { from: "2026-02-20", to: "2026-03-31" };
  for (const event of ["Clicked", "Typed", null]) {
    const query = { groupType: "company", event, interval: "day", ...range, breakdown: null } as const;
    const points = (await engine.trends(query)).series[0]?.points ?? [];
    const found = points.map(({ uniqueGroups }, day) => [day, uniqueGroups]).filter(([, groups]) => groups !== 0);
    expect(Object.fromEntries(found)).toEqual(model.companiesByDay(event));
  }
  const query = { groupType: "company", event: null, interval: "week", ...range, breakdown: "plan" } as const;
  const { series } = await engine.trends(query);
  expect(new Map(series.map(({ breakdownValue, total }) => [JSON.stringify(breakdownValue), total]))).toEqual(
    model.totalByPlan(),
  );
}
