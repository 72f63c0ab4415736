import { expect, it } from "vitest";
import { createPreviewer } from "../../src/core/preview.ts";
import type { Rejection, SourceRecord } from "../../src/core/record.ts";
import { shippedMapping } from "./mapping/shipped.ts";

const preview = createPreviewer(shippedMapping("segment"));

function call(id: string, payload: SourceRecord["payload"]): SourceRecord {
  return { source: "web", id, occurredAt: 0, statedAt: 0, receivedAt: 0, payload };
}

const track = (id: string, userId: string, groupId: string | null = null) =>
  call(id, { type: "track", event: "Seen", userId, context: { groupId } });
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
