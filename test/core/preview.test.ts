import { expect, it } from "vitest";
import { createPreviewer, createPreviewSum } from "../../src/core/preview.ts";
import type { Rejection, SourceRecord } from "../../src/core/record.ts";
import { shippedMapping } from "./mapping/shipped.ts";

const preview = createPreviewer(shippedMapping("segment"));

function call(id: string, payload: SourceRecord["payload"]): SourceRecord {
  return { source: "web", id, occurredAt: 0, statedAt: 0, receivedAt: 0, payload };
}

const track = (id: string, userId: string, groupId: string | null = null) =>
  call(id, { type: "track", event: "Seen", userId, context: { groupId } });
const group = (id: string, groupId: string) => call(id, { type: "group", groupId, traits: { name: groupId } });
const refused: Rejection = {
  source: "web",
  recordId: null,
  reason: "not_a_call",
  detail: "a number",
  receivedAt: 0,
  payload: 7,
};

it("shows what would be sent, without what PostHog would drop", () => {
  expect(preview(track("1", "ada"))).toMatchObject({ rule: "track", drafts: [{ event: "Seen" }], problems: [] });
  expect(preview(track("1", "null"))).toMatchObject({
    rule: "track",
    drafts: [],
    problems: [{ reason: "illegal_distinct_id" }],
  });
  expect(preview(refused)).toMatchObject({ rule: null, drafts: [], problems: [{ reason: "not_a_call" }] });
});

it("adds up messages, groups, persons and rejections, and counts what comes again once", () => {
  const sum = createPreviewSum();
  const outcomes = [track("1", "ada"), track("2", "bob", "acme"), track("2", "bob", "acme"), group("3", "acme")];
  for (const outcome of [...outcomes, group("4", "beta"), track("5", "ada", "gamma"), refused, track("6", "null")]) {
    sum.add(outcome, preview(outcome));
  }
  expect(sum.summary()).toMatchObject({
    records: 8,
    duplicates: 1,
    rules: { track: 5, group: 2 },
    groupIdentifies: 2,
    events: { Seen: 3 },
    groupTypes: [{ groupType: "company", identified: 2, onlyNamed: 1 }],
    rejected: { not_a_call: 1, illegal_distinct_id: 1 },
    billedEvents: 5,
  });
  // ada and bob, and those that the identifies are sent by.
  expect(sum.summary().persons).toBeGreaterThanOrEqual(3);
  expect(sum.summary().persons).toBeLessThanOrEqual(4);
});
