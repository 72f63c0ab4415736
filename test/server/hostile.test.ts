/** What strangers send: no door falls over or blames itself, and the next good call is taken. */

import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { ADMIN_METHODS } from "../../src/server/admin-methods.ts";
import {
  anyBytes,
  callBatchText,
  callText,
  damaged,
  groupsText,
  nestedArrays,
  nestedObjects,
  posthogText,
  questionText,
  trendsText,
  v1BatchText,
} from "./hostile-input.ts";
import { exchange, post, type Running, rawPost, startRunning, statusesOf, WITH_KEY, WRITE_KEY } from "./running.ts";
import { V1_HEADERS, V1_PATH } from "./v1-requests.ts";

const SEGMENT_DOORS = ["/v1/track", "/v1/group", "/v1/identify", "/v1/batch", "/webhooks/main"];
const POSTHOG_DOORS = ["/batch/", "/i/v0/e/", "/capture/", "/engage", V1_PATH];
const ADMIN_DOORS = Object.keys(ADMIN_METHODS).map((method) => `/api/${method}`);
const DOORS = [...SEGMENT_DOORS, ...POSTHOG_DOORS, ...ADMIN_DOORS];

let running: Running;
let calls = 0;

beforeAll(async () => {
  // Without secrets its webhook is open on loopback: what is sent reaches the mapping.
  running = await startRunning({ sources: { main: { type: "segment", writeKeys: [WRITE_KEY] } } });
  // The engine keeps five group types: the first come.
  await send("/v1/group", goodCall("first"));
  await running.drained();
});

afterEach(async () => {
  expect(await send("/v1/group", goodCall("after"))).toBe(200);
  await running.drained();
  expect(await propertiesOf("after")).toEqual({ seen: calls });
  expect(running.errors()).toEqual([]);
  expect(Object.getOwnPropertyNames({})).toEqual([]);
  expect(Object.keys(Object.prototype)).toEqual([]);
});

afterAll(() => running.remove());

function goodCall(groupId: string) {
  calls += 1;
  return { userId: "u1", groupId, messageId: `good-${calls}`, traits: { seen: calls } };
}

/** Without its key, which a group carries as well. */
async function propertiesOf(groupKey: string): Promise<JsonObject | undefined> {
  const { groups } = await running.operations.groups({ groupType: "company", limit: 100, offset: 0, search: groupKey });
  const { group_key: _, ...properties } = groups.find((group) => group.groupKey === groupKey)?.properties ?? {};
  return properties;
}

/** The status of the answer. */
async function send(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  return (await post(`${running.url}${path}`, body, { ...headersOf(path), ...headers })).status;
}

/** What lets a body be read at all. */
function headersOf(path: string): Readonly<Record<string, string>> {
  if (path === V1_PATH) return V1_HEADERS;
  return { authorization: path.startsWith("/api/") ? `Bearer ${running.adminToken}` : WITH_KEY.authorization };
}

/** Sends the same to all of them at once, and names those that blamed themselves. */
async function blamesOf(paths: readonly string[], body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const answers = await Promise.all(paths.map(async (path) => ({ path, status: await send(path, body, headers) })));
  return answers.filter(({ status }) => status < 200 || status >= 500);
}

async function neverBlamed(input: fc.Arbitrary<unknown>, paths: readonly string[], numRuns = 40): Promise<void> {
  const property = fc.asyncProperty(input, async (body) => {
    expect(await blamesOf(paths, body)).toEqual([]);
  });
  await fc.assert(property, { numRuns });
}

describe("no door blames itself", () => {
  it("for any bytes", () => neverBlamed(anyBytes, DOORS, 40));

  it("for any bytes said to be gzip", async () => {
    const property = fc.asyncProperty(anyBytes, async (bytes) => {
      const packed = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), bytes]);
      expect(await blamesOf(DOORS, packed, { "content-encoding": "gzip" })).toEqual([]);
    });
    await fc.assert(property, { numRuns: 30 });
  });

  it("for what is nearly a Segment call", () => neverBlamed(callText, [...SEGMENT_DOORS, ...POSTHOG_DOORS]));
  it("for what is nearly a batch of them", () => neverBlamed(callBatchText, ["/v1/batch", "/webhooks/main"]));
  it("for what is nearly a PostHog event", () => neverBlamed(posthogText, [...POSTHOG_DOORS, "/webhooks/main"]));
  it("for what is nearly a batch of PostHog events by protocol v1", () => neverBlamed(v1BatchText, [V1_PATH], 80));
  it("for what is nearly a question", () => neverBlamed(questionText, ADMIN_DOORS, 25));
  it("for strange trends", () => neverBlamed(trendsText, ["/api/trends"]));
  it("for strange groups", () => neverBlamed(groupsText, ["/api/groups"]));

  it("for damaged requests, byte by byte over the socket", async () => {
    const body = JSON.stringify(goodCall("raw"));
    const request = rawPost("/v1/group", body, [`Authorization: ${WITH_KEY.authorization}`, "Connection: close"]);
    const answers: number[] = [];
    const property = fc.asyncProperty(
      fc.array(damaged(request), { minLength: 20, maxLength: 20 }),
      async (requests) => {
        const all = await Promise.all(requests.map((one) => exchange(running.url, [one], { lingerMs: 50 })));
        for (const { received } of all) answers.push(...statusesOf(received));
      },
    );
    await fc.assert(property, { numRuns: 6 });
    expect(answers.filter((status) => status < 200 || status >= 500)).toEqual([]);
    expect(answers).toContain(400);
  });

  it("for bytes that are no request at all", async () => {
    const answers: number[] = [];
    const property = fc.asyncProperty(fc.array(anyBytes, { minLength: 20, maxLength: 20 }), async (requests) => {
      const all = await Promise.all(requests.map((one) => exchange(running.url, [one], { lingerMs: 50 })));
      for (const { received } of all) answers.push(...statusesOf(received));
    });
    await fc.assert(property, { numRuns: 5 });
    expect(new Set(answers)).toEqual(new Set([400]));
  });

  it.each([
    "/webhooks/%ff",
    "/webhooks/__proto__",
    "/webhooks/constructor",
    "/v1/%E0%A4%A",
    "/api/__proto__",
    "/api/constructor",
    "/api/backfill/../status",
    "//",
    "/%00",
    `/${"x".repeat(10_000)}`,
  ])("for the path %.40s", async (path) => {
    const { received } = await exchange(running.url, [rawPost(path, "{}", ["Connection: close"])]);
    expect(statusesOf(received)).toHaveLength(1);
    expect([400, 401, 404, 414]).toContain(statusesOf(received)[0]);
  });
});

describe("JSON nested 100,000 deep", () => {
  const levels = 100_000;

  it.each([
    ["arrays", nestedArrays(levels)],
    ["objects", nestedObjects(levels)],
  ])("is no fault of any door: %s", async (_, deep) => {
    expect(await blamesOf(DOORS, deep)).toEqual([]);
    const within = [
      `{"batch":[${deep}]}`,
      `{"event":"E","api_key":"phc_x","distinct_id":"d","properties":{"a":${deep}}}`,
    ];
    for (const body of within) expect(await blamesOf(DOORS, body)).toEqual([]);
  });

  it("is refused in one call, and its neighbours are delivered", async () => {
    const deep = `{"type":"group","userId":"u1","groupId":"deep","messageId":"deep","traits":{"a":${nestedArrays(levels)}}}`;
    const good = (groupId: string) => JSON.stringify({ type: "group", ...goodCall(groupId) });
    expect(await send("/v1/batch", `{"batch":[${good("before deep")},${deep},${good("after deep")}]}`)).toBe(200);
    expect(await send("/webhooks/main", `[${good("before deep 2")},${deep},${good("after deep 2")}]`)).toBe(200);
    await running.drained();
    for (const groupId of ["before deep", "after deep", "before deep 2", "after deep 2"]) {
      expect(await propertiesOf(groupId)).toHaveProperty("seen");
    }
    expect(
      (await running.operations.listRejections({ limit: 1 })).map(({ recordId, reason }) => [recordId, reason]),
    ).toEqual([["deep", "invalid_field"]]);
  });

  it("is refused by the doors in PostHog's form", async () => {
    const body = `{"event":"E","api_key":"phc_x","distinct_id":"d","properties":{"a":${nestedArrays(levels)}}}`;
    expect(await Promise.all(POSTHOG_DOORS.map((path) => send(path, body)))).toEqual(POSTHOG_DOORS.map(() => 400));
  });
});

describe("names that every object has", () => {
  const traits = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":"t","name":"N"}';
  const own = JSON.parse(traits);

  it("are properties like any other on the way from Segment", async () => {
    const call = `{"userId":"u1","groupId":"proto","traits":${traits},"__proto__":{"type":"track"},"constructor":5}`;
    expect(await send("/v1/group", call)).toBe(200);
    await running.drained();
    expect(await propertiesOf("proto")).toEqual(own);
  });

  it("are properties like any other on the way from PostHog's clients", async () => {
    const properties = `{"$group_type":"company","$group_key":"proto 2","$group_set":${traits},"__proto__":{"a":1}}`;
    const body = `{"api_key":"phc_x","batch":[{"event":"$groupidentify","distinct_id":"d","properties":${properties}}]}`;
    expect(await send("/batch/", body)).toBe(200);
    expect(await propertiesOf("proto 2")).toEqual(own);
  });

  it("are properties like any other by protocol v1", async () => {
    const properties = `{"$group_type":"company","$group_key":"proto 3","$group_set":${traits},"__proto__":{"a":1}}`;
    const event = `"event":"$groupidentify","distinct_id":"d","timestamp":"2026-10-01T09:30:00Z"`;
    const uuids = ["0199f3a2-6c40-7b1e-9a51-5d1d6a6f0f11", "0199f3a2-6c40-7b1e-9a51-5d1d6a6f0f12"];
    const batch = uuids.map(
      (uuid) => `{${event},"uuid":"${uuid}","options":{"__proto__":{"cookieless_mode":5}},"properties":${properties}}`,
    );
    const body = `{"created_at":"2026-10-01T09:30:00Z","__proto__":{"batch":5},"batch":[${batch.join(",")}]}`;
    expect(await send(V1_PATH, body)).toBe(200);
    expect(await propertiesOf("proto 3")).toEqual(own);
  });

  it("are no group types", async () => {
    const call = { userId: "u1", groupId: "g", messageId: "type", traits: { groupType: "__proto__" } };
    expect(await send("/v1/group", call)).toBe(200);
    expect((await running.operations.listRejections({ limit: 1 }))[0]).toMatchObject({
      recordId: "type",
      reason: "undeclared_group_type",
    });
  });
});

describe("text that is none", () => {
  it("arrives with U+FFFD where bytes are no UTF-8", async () => {
    const [head, tail] = JSON.stringify({ ...goodCall("bad UTF-8 |"), messageId: "bad UTF-8" }).split("|");
    const body = Buffer.concat([Buffer.from(`${head}`), Buffer.from([0xff, 0xc3]), Buffer.from(`${tail}`)]);
    expect(await send("/v1/group", body)).toBe(200);
    await running.drained();
    expect(await propertiesOf("bad UTF-8 \ufffd\ufffd")).toEqual({ seen: calls });
  });

  it.each([
    [
      "/v1/group",
      (key: string, trait: string) => `{"userId":"\\ud800","groupId":"${key}","traits":{"\\udfff":"${trait}"}}`,
    ],
    [
      "/capture/",
      (key: string, trait: string) =>
        `{"api_key":"phc_x","event":"$groupidentify","distinct_id":"\\ud800","properties":{"$group_type":"company",` +
        `"$group_key":"${key}","$group_set":{"\\udfff":"${trait}"}}}`,
    ],
  ])("arrives with U+FFFD for halves of surrogate pairs: %s", async (path, body) => {
    expect(await send(path, body(`half \\ud83d of ${path}`, "\\ud83d and \\ude00\\u0000"))).toBe(200);
    await running.drained();
    const properties = await propertiesOf(`half \ufffd of ${path}`);
    expect(properties).toEqual({ "\ufffd": "\ufffd and \ufffd\0" });
  });
});
