import { expect, it } from "vitest";
import type { JsonValue } from "../../src/core/json.ts";
import { keptRejection, MAX_KEPT_BYTES, rejectionBytes } from "../../src/core/kept-rejection.ts";

const rejectionOf = (payload: JsonValue) =>
  ({ source: "s", recordId: "r", reason: "not_a_call", detail: "Why.", receivedAt: 1, payload }) as const;

it.each<[string, JsonValue]>([
  ["nothing", null],
  ["a small call", { type: "track", properties: { list: [1, "ä", null, { deep: true }] } }],
  ["a call as large as it may be", "x".repeat(MAX_KEPT_BYTES - 2)],
])("keeps %s as it is", (_, payload) => {
  expect(keptRejection(rejectionOf(payload))).toEqual(rejectionOf(payload));
});

it.each<[string, JsonValue]>([
  ["a text", "y".repeat(500_000)],
  ["a list", Array.from({ length: 50_000 }, (_, index) => ({ index }))],
  ["an object with long names", { ["k".repeat(20_000)]: { ["l".repeat(20_000)]: 1 } }],
  ["a text of more than ASCII", "€".repeat(20_000)],
])("keeps the beginning of %s that is too large, and says so", (_, payload) => {
  const kept = keptRejection(rejectionOf(payload));
  const text = JSON.stringify(payload);
  const bytes = Buffer.byteLength(text);
  expect(kept.payload).toBeTypeOf("string");
  // Cut inside a character, of which something else is left.
  const beginning = String(kept.payload).replace(/\ufffd+$/, "");
  expect(text.startsWith(beginning)).toBe(true);
  expect(MAX_KEPT_BYTES - Buffer.byteLength(beginning)).toBeLessThan(4);
  expect(kept.detail).toBe(`Why. Of its ${bytes} bytes the first ${MAX_KEPT_BYTES} are kept, as text.`);
});

it("counts what a rejection brings, not only that there is one", () => {
  const payload = { list: Array.from({ length: 1_000 }, () => "z".repeat(1_000)) };
  expect(rejectionBytes(rejectionOf(payload))).toBeGreaterThan(1_000_000);
  expect(rejectionBytes(rejectionOf(payload))).toBeLessThan(1_100_000);
  expect(rejectionBytes(rejectionOf(null))).toBeLessThan(1_000);
});
