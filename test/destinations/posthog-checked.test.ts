/** What the PostHog destination mends or refuses of what an older prickle may have left in the outbox. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCheck } from "../../src/destinations/posthog/checked.ts";
import { groupIdentifyIds } from "../../src/destinations/posthog/group-ids.ts";
import { createIdRate } from "../../src/destinations/posthog/id-rate.ts";
import {
  distinctIdOf,
  orderingKey,
  readText,
  timestampOf,
  uuidOf as uuidRead,
} from "../../src/destinations/posthog/message-text.ts";
import { groupIdentify, uuidOf } from "../fakes/outbox.ts";
import { messageFrom } from "../fakes/parcels.ts";

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const check = createCheck(null);

function bodyOf(properties: object, more: object = {}): Buffer {
  const head = { event: "Deployed", distinct_id: "ada", uuid: uuidOf(1), timestamp: "2026-10-01T00:00:00.000Z" };
  return Buffer.from(JSON.stringify({ ...head, ...more, properties }));
}

function checked(properties: object, more: object = {}) {
  const found = check({ body: bodyOf(properties, more) }, NOW);
  return "kind" in found ? found : { mended: found.mended?.code, ...JSON.parse(Buffer.from(found.body).toString()) };
}

const IDENTIFY = { event: "$groupidentify", distinct_id: "$groups_sync_07" };
const ACME = { $group_type: "company", $group_key: "acme", $group_set: { name: "Acme" } };

it("leaves alone what is right, byte for byte", () => {
  const right = [
    bodyOf({}),
    bodyOf({ $groups: { company: "acme" }, price: 3 }),
    bodyOf({ $process_person_profile: false }),
    ...[true, "true", 1, "no", null].map((asked) =>
      bodyOf({ $process_person_profile: asked, $groups: { company: "acme" } }),
    ),
    bodyOf({ $set: { plan: "pro" } }),
    bodyOf(ACME, IDENTIFY),
    bodyOf({ ...ACME, $group_key: "k".repeat(400) }, IDENTIFY),
    bodyOf({}, { event: '"\\', distinct_id: '\\"é😀' }),
    bodyOf({}, { distinct_id: "i".repeat(200) }),
    Buffer.from(groupIdentify("acme", 1).json),
  ];
  for (const body of right) {
    const found = check({ body }, NOW);
    expect(found).toMatchObject({ body });
    expect(found).not.toHaveProperty("mended");
  }
});

describe("mends", () => {
  it.each([false, "false", "0", 0])("a personless event that names groups, said by %j", (asked) => {
    const groups = { $groups: { company: "acme" } };
    expect(checked({ $process_person_profile: asked, ...groups })).toMatchObject({ mended: "mended_personless" });
    expect(checked({ $process_person_profile: asked, ...groups }).properties).toEqual(groups);
    expect(checked({ ...ACME, $process_person_profile: asked }, IDENTIFY).properties).toEqual(ACME);
  });

  it("person properties on a group identify, wherever they stand", () => {
    const found = checked({ ...ACME, $set: { a: 1 } }, { ...IDENTIFY, $set_once: { b: 1 } });
    expect(found).toMatchObject({ mended: "mended_person_properties", properties: ACME });
    expect(found).not.toHaveProperty("$set_once");
  });

  it("a distinct id that PostHog would cut: two long ids stay two", () => {
    const ids = ["a", "b"].map((end) => checked({}, { distinct_id: "é".repeat(150) + end }).distinct_id);
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((id) => /^sha256:[0-9a-f]{64}$/.test(id))).toBe(true);
  });
});

describe("refuses", () => {
  it.each(["0", " Anonymous ", "NULL", "[object Object]", "00000000-0000-0000-0000-000000000000", "user", ""])(
    "the distinct id %j",
    (distinct_id) => {
      expect(checked({}, { distinct_id })).toMatchObject({ kind: "dead", code: "illegal_distinct_id" });
    },
  );

  const wrong: readonly (readonly [string, object, object])[] = [
    ["invalid_group_set", { ...ACME, $group_set: "Acme" }, IDENTIFY],
    ["invalid_group_set", { ...ACME, $group_set: [1] }, IDENTIFY],
    ["invalid_group_key", { ...ACME, $group_key: "k".repeat(401) }, IDENTIFY],
    ["invalid_group_key", { ...ACME, $group_key: 0 }, IDENTIFY],
    ["invalid_group_type", { ...ACME, $group_type: "" }, IDENTIFY],
    ["future_timestamp", {}, { timestamp: "2026-11-24T11:00:00.001Z" }],
    ["message_too_large", { text: "x".repeat(900_000) }, {}],
  ];
  it.each(wrong)("%s", (code, properties, more) => {
    expect(checked(properties, more)).toMatchObject({ kind: "dead", code, reason: expect.stringContaining(code) });
  });

  it("what is no text of a message", () => {
    const nameless = JSON.stringify({
      event: "a",
      distinct_id: "b",
      timestamp: "2026-10-01T00:00:00.000Z",
      properties: {},
    });
    const untimely = JSON.stringify({ event: "a", distinct_id: "b", uuid: uuidOf(1), properties: {} });
    for (const text of [nameless, untimely, "", "{}", '{"event":"a"}', '{"event":"a","distinct_id":"', "[]"]) {
      expect(check({ body: Buffer.from(text) }, NOW)).toMatchObject({ code: "malformed_message" });
    }
  });

  it("no time for being ahead of a clock that is plainly wrong", () => {
    expect(check({ body: bodyOf({}) }, Date.UTC(1970, 0, 1))).not.toHaveProperty("kind");
  });
});

it("names group identifies by group, or all the same, when told to", () => {
  const idOf = (ids: "per_group" | "static", key: string) => {
    const body = Buffer.from(groupIdentify(key, 1).json);
    const found = createCheck(groupIdentifyIds(ids))({ body }, NOW);
    return "kind" in found ? found : distinctIdOf(found);
  };
  expect(idOf("per_group", "acme")).toBe("$company_acme");
  expect(idOf("per_group", "k".repeat(300))).toMatch(/^sha256:/);
  expect(idOf("static", "acme")).toBe("groups_setup_id");
});

it("reads from the bytes what parsing them would give", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom('"', "\\", '\\"', "$set", '","distinct_id":"'));
  fc.assert(
    fc.property(text, text, fc.dictionary(text, fc.jsonValue()), (event, distinctId, properties) => {
      const draft = { event: `e${event}`.slice(0, 60), distinctId: `x${distinctId}`, groups: {} };
      const wanted = { kind: "event" as const, properties: JSON.parse(JSON.stringify(properties)), ...draft };
      const { json } = messageFrom(wanted, { uuid: uuidOf(1), occurredAt: NOW, lanes: 4 });
      const read = readText(Buffer.from(json));
      const parsed = JSON.parse(json);
      expect(read && distinctIdOf(read)).toBe(parsed.distinct_id);
      expect(read && timestampOf(read)).toBe(parsed.timestamp);
      expect(read && uuidRead(read)).toBe(parsed.uuid);
      if ("$set" in properties) expect(read && read.traits & 2).toBe(2);
    }),
  );
});

it("tells groups apart whatever is in their names", () => {
  const keyOf = (type: string, key: string, set: object) => {
    const body = bodyOf({ $group_type: type, $group_key: key, $group_set: set }, IDENTIFY);
    const read = readText(body);
    return read && orderingKey(read);
  };
  expect(keyOf("company", "a", { x: 1 })).toBe(keyOf("company", "a", { y: '"$group_set":' }));
  const keys = [
    ["company", "a"],
    ["company", 'a","$group_set":'],
    ["a", "company"],
    ["company", "a\\"],
    ["company", "é"],
  ];
  expect(new Set(keys.map(([type = "", key = ""]) => keyOf(type, key, {}))).size).toBe(keys.length);
});

describe("the ceiling per distinct id", () => {
  it("lets a burst of ten seconds' worth through and then so many a second, whatever other ids do", () => {
    const rate = createIdRate(80);
    const take = (id: number, now: number) =>
      Array.from({ length: 2000 }, () => rate.take(id, now)).filter((waitMs) => waitMs === 0).length;
    expect(take(7, NOW)).toBe(800);
    expect(take(8, NOW)).toBe(800);
    expect(take(7, NOW + 1000)).toBe(80);
    expect(rate.take(7, NOW + 1000)).toBe(13);
  });

  it("is none when there is none", () => {
    const rate = createIdRate(null);
    expect(Array.from({ length: 5000 }, () => rate.take(1, NOW)).every((waitMs) => waitMs === 0)).toBe(true);
  });
});
