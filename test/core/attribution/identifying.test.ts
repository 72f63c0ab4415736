import { expect, it } from "vitest";
import { groupLane } from "../../../src/core/identity.ts";
import { MAX_MESSAGE_BYTES } from "../../../src/core/message.ts";
import { rulesFor } from "./group-store.ts";
import { createIdentifies } from "./identifies.ts";

it("makes no message of what is known, and counts it as saved", () => {
  const { take, tally, lanes } = createIdentifies();
  take({ groupKey: "acme", properties: { plan: "free" } });
  expect(take({ groupKey: "acme", properties: { plan: "free" } })).toEqual([]);
  expect(take({ groupKey: "acme", at: 0, properties: { plan: "pro" } })).toEqual([]);
  expect(tally).toMatchObject({ saved: 2, stale: 1 });
  expect(lanes).toHaveLength(1);
});

it("makes one message of what is to be set and one of what is to be removed, in the group's lane, in this order", () => {
  const { take, lanes, knowledge } = createIdentifies(rulesFor({ crm: { nulls: "unset" } }));
  take({ groupKey: "acme", properties: { a: 1, b: 1 } });
  const sent = take({ groupKey: "acme", properties: { a: null, b: 2 } });
  const lane = groupLane("company", "acme", 64);
  expect(sent).toMatchObject([
    { event: "$groupidentify", set: { b: 2 }, lane },
    { event: "$group_unset", unset: ["a"], lane },
  ]);
  expect(lanes).toEqual([lane, lane, lane]);
  expect(knowledge.group("company", "acme")?.sent).toMatchObject({ group_key: 0, a: 2 });
});

it("gives every message a uuid of its own, also where one record is about two groups", () => {
  const { take } = createIdentifies(rulesFor({ crm: { nulls: "unset" } }));
  for (const groupKey of ["one", "two"]) take({ groupKey, properties: { a: 1, b: 1 } });
  const sent = ["one", "two"].flatMap((groupKey) =>
    take({ recordId: "same", at: 9, groupKey, properties: { a: null, b: 2 } }),
  );
  expect(sent).toHaveLength(4);
  expect(new Set(sent.map(({ uuid }) => uuid)).size).toBe(4);
});

it("notes a key that another group type has, when its group is new", () => {
  const { take, tally } = createIdentifies();
  take({ groupKey: "acme" });
  take({ groupKey: "acme", groupType: "project" });
  take({ groupKey: "acme", groupType: "project", properties: { a: 1 } });
  expect(tally.sharedKeys).toEqual([{ groupType: "project", groupKey: "acme", otherType: "company" }]);
});

it("refuses a key that nobody could send, wherever it comes from, and knows nothing of the group then", () => {
  const { take, tally, knowledge, lanes } = createIdentifies();
  const fallbackKey = "k".repeat(401);
  expect(take({ aliases: ["a"], fallbackKey })).toEqual([]);
  expect(tally.rejections).toMatchObject([{ reason: "invalid_group_key", recordId: "r1" }]);
  expect(knowledge.group("company", fallbackKey)).toBeNull();
  expect(lanes).toEqual([]);
});

it("refuses a message that grew too large, takes no seq for it and stays as it was", () => {
  const { take, tally, knowledge, lanes } = createIdentifies(rulesFor({ crm: { volatile: ["v*"] } }));
  const half = "x".repeat(MAX_MESSAGE_BYTES * 0.6);
  take({ groupKey: "acme", properties: {} });
  take({ groupKey: "acme", properties: { v1: half } });
  const before = knowledge.group("company", "acme");
  expect(take({ groupKey: "acme", properties: { p: half } })).toEqual([]);
  expect(tally).toMatchObject({ rejections: [{ reason: "message_too_large", recordId: "r3" }], saved: 1 });
  expect(knowledge.group("company", "acme")).toBe(before);
  expect(lanes).toHaveLength(1);
  expect(take({ groupKey: "acme", properties: { v1: "small", p: "small" } })).toMatchObject([
    { set: { v1: "small", p: "small" } },
  ]);
});
