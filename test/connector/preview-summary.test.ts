import { expect, it } from "vitest";
import { summarizePreview } from "../../src/connector/preview-summary.ts";
import type { Rejection, SourceRecord } from "../../src/core/record.ts";
import { shippedMapping } from "../core/mapping/shipped.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 24);

function call(id: string, daysAgo: number, payload: SourceRecord["payload"]): SourceRecord {
  const at = NOW - daysAgo * DAY_MS;
  return { source: "preview", id, occurredAt: at, statedAt: at, receivedAt: at, payload };
}

const track = (id: string, userId: string, daysAgo: number, groupId: string | null = null) =>
  call(id, daysAgo, { type: "track", event: "Seen", userId, context: { groupId } });
const group = (id: string, groupId: string, daysAgo: number, traits: SourceRecord["payload"] = {}) =>
  call(id, daysAgo, { type: "group", userId: "ada", groupId, traits });
const refused: Rejection = {
  source: "web",
  recordId: null,
  reason: "not_a_call",
  detail: "a number",
  receivedAt: 0,
  payload: 7,
};

function summarize(outcomes: readonly (SourceRecord | Rejection)[]) {
  async function* read() {
    yield* outcomes;
  }
  return summarizePreview(shippedMapping("segment"), read, NOW);
}

it("adds up messages, groups, persons and rejections, and counts what comes again once", async () => {
  const summary = await summarize([
    track("1", "bob", 1, "acme"),
    track("1", "bob", 1, "acme"),
    group("2", "acme", 9, { name: "Acme" }),
    group("3", "beta", 9),
    track("4", "eve", 1, "gamma"),
    refused,
    track("5", "null", 1),
  ]);
  expect(summary).toMatchObject({
    records: 7,
    duplicates: 1,
    rules: { track: 4, group: 2 },
    identifies: { mapped: 2, sent: 2 },
    events: { Seen: 2 },
    groupTypes: [{ groupType: "company", created: 2, onlyNamed: 1 }],
    rejected: { not_a_call: 1, illegal_distinct_id: 1 },
    billedEvents: 4,
    historicalEvents: 0,
  });
  // bob and eve, and those that the identifies are sent by.
  expect(summary.persons).toBeGreaterThanOrEqual(3);
  expect(summary.persons).toBeLessThanOrEqual(4);
});

it("leaves out group identifies that say nothing new, and tells history from the rest", async () => {
  const summary = await summarize([
    group("1", "acme", 9, { name: "Acme", plan: "team" }),
    group("2", "acme", 8, { name: "Acme" }),
    group("3", "acme", 7, { name: "Acme", plan: "enterprise" }),
    group("4", "acme", 10, { plan: "free" }),
    track("5", "bob", 3),
    track("6", "bob", 1),
  ]);
  expect(summary).toMatchObject({
    identifies: { mapped: 4, sent: 2 },
    stale: 1,
    billedEvents: 4,
    historicalEvents: 1,
  });
});

it("knows who belongs to what before it looks at events, wherever in the input it is said", async () => {
  const summary = await summarize([track("1", "ada", 1), group("2", "acme", 5), track("3", "ada", 6)]);
  expect(summary).toMatchObject({ attributed: 1 });
});
