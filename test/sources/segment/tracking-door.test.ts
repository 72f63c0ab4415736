import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PrickleError } from "../../../src/core/errors.ts";
import { recordUuid } from "../../../src/core/identity.ts";
import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import type { PushIntake } from "../../../src/core/source.ts";
import { readLoggedCall } from "../../../src/sources/segment/raw-log.ts";
import { createTrackingDoor } from "../../../src/sources/segment/tracking-door.ts";
import { basic, groupCall, nested, RECEIVED_AT, type RequestParts, request, trackCall, WRITE_KEY } from "./calls.ts";

const door = createTrackingDoor({
  sources: [
    { name: "web", writeKeys: [WRITE_KEY, "wk_old"] },
    { name: "app", writeKeys: ["wk_app"] },
  ],
});

function post(
  path: string,
  body: RequestParts["body"],
  headers: Record<string, string> = basic(`${WRITE_KEY}:`),
): PushIntake {
  return door(request({ path, headers, body }));
}

const postBatch = (batch: readonly JsonValue[], fields: JsonObject = {}) =>
  post("batch", { batch: [...batch], ...fields });
const code = (expected: string) => expect.objectContaining({ code: expected });
const at = (time: string) => Date.parse(`2026-11-23T${time}Z`);

describe("the tracking door, by path", () => {
  it.each([
    ["track", "track"],
    ["t", "track"],
    ["identify", "identify"],
    ["i", "identify"],
    ["group", "group"],
    ["g", "group"],
    ["page", "page"],
    ["p", "page"],
    ["screen", "screen"],
    ["s", "screen"],
    ["alias", "alias"],
    ["a", "alias"],
  ])("takes the type from /v1/%s: %s", (path, type) => {
    const { records } = post(path, { userId: "u1", previousId: "p1", groupId: "g1", event: "E" });
    expect(records[0]?.payload.type).toBe(type);
  });

  it.each(["batch", "import", "b"])("takes a batch at /v1/%s", (path) => {
    expect(post(path, { batch: [groupCall(), trackCall()] }).records.map(({ id }) => id)).toEqual(["m1", "m2"]);
  });

  it("refuses other paths and bodies that are no object or no batch", () => {
    expect(() => post("x", {})).toThrow(code("NOT_FOUND"));
    expect(() => post("constructor", {})).toThrow(code("NOT_FOUND"));
    expect(() => post("track", [])).toThrow(code("INPUT_INVALID"));
    expect(() => post("track", "{]")).toThrow(code("INPUT_INVALID"));
    expect(() => post("batch", { batch: {} })).toThrow(code("INPUT_INVALID"));
    expect(post("batch", { batch: [] })).toEqual({ source: "web", records: [], rejections: [] });
  });
});

describe("the tracking door, by write key", () => {
  it("knows the source by Basic with or without colon, body and Bearer, old keys included", () => {
    const body = trackCall();
    expect(post("track", body, basic("wk_app:")).source).toBe("app");
    expect(post("track", body, basic("wk_app")).source).toBe("app");
    expect(post("track", { ...body, writeKey: "wk_app" }, {}).source).toBe("app");
    expect(post("track", body, { authorization: "Bearer wk_app" }).source).toBe("app");
    expect(post("track", { ...body, writeKey: "wk_app" }, { authorization: "Bearer some-oauth-token" }).source).toBe(
      "app",
    );
    expect(post("track", body, basic("wk_old:")).records[0]?.source).toBe("web");
  });

  it("keeps the write key out of what is stored", () => {
    const { records } = post("track", { ...trackCall(), writeKey: WRITE_KEY }, {});
    const { rejections } = post("batch", { batch: [{ type: "track", writeKey: WRITE_KEY }] });
    expect(JSON.stringify([records, rejections])).not.toContain(WRITE_KEY);
  });

  it("refuses a missing or unknown key", () => {
    for (const headers of [{}, basic("nobody:"), { authorization: "Basic %%%" }, { authorization: "Digest x" }]) {
      expect(() => post("track", trackCall(), headers as Record<string, string>)).toThrow(code("UNAUTHORIZED"));
    }
    expect(() => post("track", { ...trackCall(), writeKey: "__proto__" }, {})).toThrow(code("UNAUTHORIZED"));
  });

  it("cannot be made with a key of two sources", () => {
    const sources = ["a", "b"].map((name) => ({ name, writeKeys: ["same"] }));
    expect(() => createTrackingDoor({ sources })).toThrow(code("CONFIG_INVALID"));
  });
});

describe("the tracking door, by time", () => {
  const timesOf = (intake: PushIntake) => intake.records.map(({ occurredAt, statedAt }) => ({ occurredAt, statedAt }));

  it("corrects a wrong client clock by the time of sending", () => {
    const call = trackCall({ timestamp: "2026-11-23T08:00:00.000Z" });
    const expected = [{ occurredAt: at("11:59:50"), statedAt: at("08:00:00") }];
    expect(timesOf(postBatch([call], { sentAt: "2026-11-23T08:00:10.000Z" }))).toEqual(expected);
    expect(timesOf(post("track", { ...call, sentAt: "2026-11-23T08:00:10.000Z" }))).toEqual(expected);
  });

  it("gives a retry, sent later, the same id", () => {
    const [first, second] = ["11:00:10", "11:30:00"].map(
      (sent) => postBatch([trackCall()], { sentAt: `2026-11-23T${sent}Z` }).records[0],
    );
    expect(first?.occurredAt).not.toBe(second?.occurredAt);
    expect(first && recordUuid(first)).toEqual(second && recordUuid(second));
  });

  it("never places a call in the future", () => {
    const future = trackCall({ timestamp: "2031-01-01T00:00:00.000Z" });
    expect(timesOf(postBatch([future]))).toMatchObject([{ occurredAt: RECEIVED_AT }]);
    expect(timesOf(postBatch([future], { sentAt: "2030-01-01T00:00:00.000Z" }))).toMatchObject([
      { occurredAt: RECEIVED_AT },
    ]);
  });

  it("does not correct history that was imported without a time of sending, nor what an edge corrected before", () => {
    const old = trackCall({ timestamp: "2012-12-02T00:30:08.276Z" });
    const expected = [{ occurredAt: Date.parse("2012-12-02T00:30:08.276Z") }];
    expect(timesOf(post("import", { batch: [old] }))).toMatchObject(expected);
    expect(timesOf(post("import", { batch: [old], sentAt: "nonsense" }))).toMatchObject(expected);
    const both = { ...old, originalTimestamp: "2012-12-02T00:30:00.000Z" };
    const received = { ...old, receivedAt: "2012-12-02T00:30:09.000Z" };
    for (const call of [both, received]) {
      expect(timesOf(post("import", { batch: [call], sentAt: "2026-11-23T11:00:00Z" }))).toMatchObject(expected);
    }
  });

  it("falls back to originalTimestamp, then to the time of receipt", () => {
    const { timestamp: _, ...timeless } = trackCall();
    const original = { ...timeless, originalTimestamp: "2026-11-23T10:00:00.000Z" };
    expect(timesOf(postBatch([original, timeless]))).toEqual([
      { occurredAt: at("10:00:00"), statedAt: at("10:00:00") },
      { occurredAt: RECEIVED_AT, statedAt: null },
    ]);
  });

  it.each([
    ["2026-11-23", "00:00:00"],
    ["2026-11-23T11:00", "11:00:00"],
    ["2026-11-23T11:00:00", "11:00:00"],
    ["2026-11-23 11:00:00.5", "11:00:00.500"],
    ["2026-11-23T11:00:00.123456+02:00", "09:00:00.123"],
    ["2026-11-23T11:00:00-0130", "12:30:00"],
    ["2026-11-23T11:00:00+01", "10:00:00"],
  ])("reads %s as UTC", (timestamp, expected) => {
    const { records } = postBatch([trackCall({ timestamp })]);
    expect(records[0]?.statedAt).toBe(at(expected));
  });

  it.each(["yesterday", "1", "2026-13-01T00:00:00.000Z", 1764000000, true, {}])("refuses the time %s", (timestamp) => {
    const { rejections } = postBatch([trackCall({ timestamp })]);
    expect(rejections).toMatchObject([{ reason: "invalid_field", recordId: "m2" }]);
    expect(rejections[0]?.detail).toMatch(/^timestamp: found .*ISO 8601/);
  });
});

describe("the tracking door, by call", () => {
  it.each<[string, JsonValue]>([
    ["not_a_call", 5],
    ["not_a_call", null],
    ["not_a_call", []],
    ["not_a_call", { userId: "u" }],
    ["unsupported_type", { type: "toString", userId: "u" }],
    ["delete_not_supported", { type: "delete", userId: "u" }],
    ["missing_user", { type: "track", event: "E" }],
    ["missing_user", { type: "group", groupId: "g", userId: null, anonymousId: "" }],
    ["missing_user", { type: "alias", userId: "u" }],
    ["missing_user", { type: "alias", previousId: "p", anonymousId: "a" }],
    ["missing_event", { type: "track", userId: "u" }],
    ["missing_event", { type: "track", userId: "u", event: 7 }],
    ["missing_group_id", { type: "group", userId: "u", groupId: null }],
    ["invalid_field", { type: "identify", userId: 2 ** 60 }],
    ["invalid_field", { type: "identify", userId: { id: 1 } }],
    ["invalid_field", { type: "identify", userId: "u", traits: "x" }],
    ["invalid_field", { type: "page", userId: "u", properties: [] }],
    ["invalid_field", { type: "page", userId: "u", context: 1 }],
  ])("keeps as %s: %j", (reason, call) => {
    const { records, rejections } = postBatch([call, trackCall()]);
    expect(rejections).toMatchObject([{ source: "web", reason, payload: call, receivedAt: RECEIVED_AT }]);
    expect(records).toHaveLength(1);
  });

  it("tolerates what Segment tolerates", () => {
    const calls = [
      trackCall({ traits: {}, version: 2, integrations: { All: false } }),
      groupCall({ properties: {}, traits: null, anonymousId: null, previousId: null, "total billed": 830 }),
      { type: "page", anonymousId: "a1", context: null },
      { type: "alias", "Previous ID": "p1", "User ID": "u1" },
    ];
    const { records, rejections } = postBatch(calls);
    expect(rejections).toEqual([]);
    expect(records[3]?.payload).toMatchObject({ previousId: "p1", userId: "u1" });
  });

  it("makes strings of ids that came as numbers", () => {
    const { records } = postBatch([groupCall({ userId: 7, groupId: 0, messageId: 42 })]);
    expect(records[0]).toMatchObject({ id: "42", payload: { userId: "7", groupId: "0" } });
  });

  it("knows a call without messageId by its content, and one without any time by its place too", () => {
    const { messageId: _, ...call } = trackCall();
    const { timestamp: __, ...timeless } = call;
    const [a, b, c, d] = postBatch([call, { ...call }, timeless, { ...timeless }]).records;
    const [later] = door({
      ...request({ path: "t", headers: basic(WRITE_KEY), body: { ...call, sentAt: "2026-11-23T11:59:59Z" } }),
      receivedAt: RECEIVED_AT + 5,
    }).records;
    expect(a?.id).toMatch(/^sha1:[0-9a-f]{40}$/);
    expect(b?.id).toBe(a?.id);
    expect(later?.id).toBe(a?.id);
    expect(d?.id).not.toBe(c?.id);
  });

  it("adds what Segment's edge adds", () => {
    const { messageId: _, ...call } = trackCall();
    const [record] = postBatch([call], { sentAt: "2026-11-23T11:59:59.000Z" }).records;
    expect(record?.payload).toMatchObject({
      messageId: record?.id,
      originalTimestamp: "2026-11-23T11:00:00.000Z",
      timestamp: "2026-11-23T11:00:01.000Z",
      receivedAt: "2026-11-23T12:00:00.000Z",
    });
  });

  it("has the same record id as the same call in the raw log", () => {
    const [record] = postBatch([trackCall()], { sentAt: "2026-11-23T11:59:59.000Z" }).records;
    const logged = readLoggedCall(structuredClone(record?.payload ?? {}), {
      source: "web",
      receivedAt: RECEIVED_AT + 86_400_000,
      position: "f:1",
    });
    if ("reason" in logged) throw new Error(logged.detail);
    expect(record && recordUuid(record)).toEqual(recordUuid(logged));
    expect(logged.occurredAt).toBe(record?.occurredAt);
  });
});

describe("the tracking door, by batch", () => {
  it("merges context and integrations into each call, whose own win", () => {
    const own = { context: { ip: "1.1.1.1", app: { name: "own" } }, integrations: { Slack: true } };
    const shared = { context: { app: { name: "shared" }, locale: "de" }, integrations: { All: false, Slack: false } };
    const [merged, plain] = postBatch([trackCall(own), trackCall()], shared).records;
    expect(merged?.payload).toMatchObject({
      context: { ip: "1.1.1.1", app: { name: "own" }, locale: "de" },
      integrations: { All: false, Slack: true },
    });
    expect(plain?.payload).toMatchObject(shared);
  });

  it("does not let a merged __proto__ through", () => {
    const body =
      '{"batch":[{"type":"page","userId":"u","context":{"__proto__":{"a":1}}}],"context":{"__proto__":{"b":1},"x":1}}';
    const context = post("batch", body).records[0]?.payload.context;
    expect(Object.getPrototypeOf(context)).toBe(Object.prototype);
  });

  it("refuses context that would be copied into megabytes, or nests too deeply", () => {
    const batch = Array.from({ length: 2000 }, () => 0);
    expect(() => postBatch(batch, { context: { a: "x".repeat(10_000) } })).toThrow(code("INPUT_TOO_LARGE"));
    expect(() => post("batch", `{"batch":[],"context":{"a":${nested(5000)}}}`)).toThrow(code("INPUT_INVALID"));
  });
});

describe("the tracking door, by size", () => {
  const pad = (bytes: number) => trackCall({ properties: { pad: "ü".repeat(bytes / 2) } });

  it("refuses a request that is too large as a whole", () => {
    expect(() => post("track", pad(32 * 1024))).toThrow(code("INPUT_TOO_LARGE"));
    expect(post("track", pad(31 * 1024)).records).toHaveLength(1);
    expect(() => postBatch([pad(500 * 1024)])).toThrow(code("INPUT_TOO_LARGE"));
  });

  it("keeps a call that is too large as a rejection, and takes its neighbours", () => {
    const { records, rejections } = postBatch([trackCall(), pad(32 * 1024), pad(31 * 1024)]);
    expect(records).toHaveLength(2);
    expect(rejections).toMatchObject([{ reason: "call_too_large", recordId: "m2" }]);
    expect(rejections[0]?.detail).toMatch(/^The call has \d+ bytes; 32768 are allowed\.$/);
  });

  it("keeps a batch that is too long whole, as one rejection", () => {
    const { records, rejections } = postBatch(Array.from({ length: 2501 }, () => 1));
    expect(records).toEqual([]);
    expect(rejections).toMatchObject([
      { reason: "batch_too_long", detail: "The batch has 2501 calls; 2500 are allowed." },
    ]);
    expect(rejections[0]?.payload).toHaveLength(2501);
  });

  it("takes other limits", () => {
    const small = createTrackingDoor({
      sources: [{ name: "web", writeKeys: [WRITE_KEY] }],
      limits: { maxBatchCalls: 1 },
    });
    const { rejections } = small(
      request({ path: "b", headers: basic(WRITE_KEY), body: { batch: [trackCall(), trackCall()] } }),
    );
    expect(rejections).toMatchObject([{ reason: "batch_too_long" }]);
  });
});

describe("the tracking door, by hostile input", () => {
  it("throws nothing but PrickleErrors, and gives a record or rejection for each call", () => {
    const field = fc.oneof(fc.jsonValue(), fc.constantFrom("u1", "track", "2026-11-23T11:00:00Z", "group", null));
    const call = fc.dictionary(
      fc.constantFrom(
        "type",
        "userId",
        "groupId",
        "event",
        "messageId",
        "timestamp",
        "originalTimestamp",
        "sentAt",
        "receivedAt",
        "context",
        "traits",
        "integrations",
        "__proto__",
        "writeKey",
      ),
      field,
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(call, fc.jsonValue()), { maxLength: 5 }), call, (batch, envelope) => {
        const { records, rejections } = post("batch", JSON.stringify({ ...envelope, batch }));
        for (const { occurredAt } of records) new Date(occurredAt).toISOString();
        return records.length + rejections.length === batch.length;
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.string(), fc.string(), (body, path, authorization) => {
        try {
          post(path, body, { authorization });
        } catch (thrown) {
          return thrown instanceof PrickleError && thrown.status < 500;
        }
        return false;
      }),
    );
  });
});
