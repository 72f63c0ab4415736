/** The door that speaks PostHog's protocol v1, request by request. Source: facts on PostHog, 3 (2026-11). */

import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DELIVERED, type Outcome } from "../../src/core/destination.ts";
import { PrickleError } from "../../src/core/errors.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { nestedArrays } from "./hostile-input.ts";
import { exchange, post, type Running, rawPost, startRunning, statusesOf } from "./running.ts";
import {
  REQUEST_ID,
  startV1Door,
  uuidOf,
  V1_HEADERS,
  V1_PATH,
  type V1DoorOptions,
  v1Batch,
  v1Event,
} from "./v1-requests.ts";

const MB = 1024 * 1024;

let running: Running;
/** Refuses the same requests in the same way: else tests of delivery would rest on another PostHog than this door speaks for. */
let fake: FakePosthog;

beforeAll(async () => {
  running = await startRunning();
  fake = await startFakePosthog();
});

afterAll(() => Promise.all([running.remove(), fake.close()]));

type Headers = Readonly<Record<string, string | undefined>>;

async function sendTo(url: string, body: unknown, headers: Headers = {}) {
  const all = Object.entries({ ...V1_HEADERS, ...headers }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const answer = await post(`${url}${V1_PATH}`, body, Object.fromEntries(all));
  return { ...answer, json: JSON.parse(answer.text) };
}

async function open(options: Omit<V1DoorOptions, "operations"> = {}) {
  const door = await startV1Door({ operations: running.operations, ...options });
  const send = (body: unknown, headers?: Headers) => sendTo(door.url, body, headers);
  return { ...door, send };
}

describe("a request is refused as a whole", () => {
  it.each<[string, number, Headers]>([
    ["missing_authorization", 401, { authorization: undefined, "posthog-attempt": undefined }],
    ["invalid_header_value", 400, { authorization: "Basic cGhjOg==" }],
    ["invalid_api_token", 401, { authorization: "Bearer phx_personal" }],
    ["invalid_api_token", 401, { authorization: `Bearer ${"p".repeat(65)}` }],
    ["unsupported_content_type", 415, { "content-type": "text/plain" }],
    ["unsupported_content_type", 415, { "content-type": "nothing" }],
    ["missing_required_headers", 400, { "posthog-sdk-info": undefined }],
    ["invalid_header_value", 400, { "posthog-attempt": "0" }],
    ["invalid_header_value", 400, { "posthog-attempt": "first" }],
    ["invalid_header_value", 400, { "posthog-request-timestamp": "2026-10-01 09:30" }],
    ["invalid_header_value", 400, { "posthog-request-timestamp": "2026-02-30T09:30:00Z" }],
    ["unsupported_encoding", 415, { "content-encoding": "lz4" }],
    ["unsupported_encoding", 415, { "content-encoding": "identity" }],
    ["request_decoding_error", 400, { "content-encoding": "gzip" }],
  ])("%s, by its headers: %i %j", async (tag, status, headers) => {
    const { send, calls } = await open();
    const answer = await send(v1Batch(v1Event(1)), headers);
    expect(answer).toMatchObject({ status, json: { error: tag, error_uri: "https://posthog.com/docs/api" } });
    expect(answer.json.error_description.length).toBeGreaterThan(10);
    expect(answer.headers.get("posthog-request-id")).toBe(REQUEST_ID);
    expect(answer.headers.get("retry-after")).toBeNull();
    expect(calls).toEqual([]);
    expect(await sendTo(fake.url, v1Batch(v1Event(1)), headers)).toMatchObject({ status, json: { error: tag } });
  });

  it("with all headers that are missing in one answer", async () => {
    const { send } = await open();
    const missing = { "posthog-attempt": undefined, "posthog-request-timestamp": undefined };
    // What is wrong with the others is not looked at before.
    const { json } = await send("", { ...missing, authorization: "Basic eA==", "posthog-request-id": "7" });
    expect(json).toMatchObject({
      error: "missing_required_headers",
      error_description: expect.stringMatching(/posthog-attempt, posthog-request-timestamp/),
    });
  });

  it("with no request id in its answer, when that is none", async () => {
    const { send } = await open();
    const { json, headers } = await send("", { "posthog-request-id": "7" });
    expect(json.error).toBe("invalid_header_value");
    expect(headers.get("posthog-request-id")).toBeNull();
  });

  it.each<[string, unknown]>([
    ["empty_body", ""],
    ["request_parsing_error", "{"],
    ["request_parsing_error", "[]"],
    ["request_parsing_error", { batch: [v1Event(1)] }],
    ["request_parsing_error", { created_at: V1_HEADERS["posthog-request-timestamp"] }],
    ["request_parsing_error", { ...v1Batch(v1Event(1)), historical_migration: "yes" }],
    ["invalid_batch", { ...v1Batch(v1Event(1)), created_at: "today" }],
    ["empty_batch", v1Batch()],
    ...["event", "uuid", "distinct_id", "timestamp"].flatMap((field): [string, unknown][] => [
      ["request_parsing_error", v1Batch(v1Event(1), v1Event(2, { [field]: undefined }))],
      ["request_parsing_error", v1Batch(v1Event(1), v1Event(2, { [field]: 5 }))],
    ]),
    ["request_parsing_error", v1Batch(v1Event(1, { session_id: 5 }))],
    ["missing_event_uuid", v1Batch(v1Event(1), v1Event(2, { uuid: " " }))],
    ["invalid_event_uuid", v1Batch(v1Event(1), v1Event(2, { uuid: "42" }))],
    ["duplicate_event_uuid", v1Batch(v1Event(1), v1Event(2), v1Event(1))],
    ["duplicate_event_uuid", v1Batch(v1Event(1, { uuid: REQUEST_ID }), v1Event(1, { uuid: REQUEST_ID.toUpperCase() }))],
  ])("%s, by its body: %j", async (tag, body) => {
    const { send, calls } = await open();
    expect(await send(body)).toMatchObject({ status: 400, json: { error: tag } });
    expect(calls).toEqual([]);
    expect(await sendTo(fake.url, body)).toMatchObject({ status: 400, json: { error: tag } });
  });
});

describe("bodies", () => {
  const body = JSON.stringify(v1Batch(v1Event(1)));
  const packers: Readonly<Record<string, (text: string | Buffer) => Buffer>> = {
    gzip: gzipSync,
    GZIP: gzipSync,
    deflate: deflateSync,
    br: brotliCompressSync,
    zstd: zstdCompressSync,
  };
  const large = JSON.stringify(
    v1Batch(v1Event(1, { properties: { noise: Array.from({ length: 20_000 }, (_, n) => String(n * 7919)) } })),
  );

  it.each(Object.keys(packers))("are unpacked, small and large: %s", async (encoding) => {
    const { send, calls } = await open();
    const pack = packers[encoding] ?? gzipSync;
    expect(pack(large).length).toBeGreaterThan(32 * 1024);
    for (const text of [body, large]) {
      expect(await send(pack(text), { "content-encoding": encoding })).toMatchObject({ status: 200 });
    }
    expect(calls).toHaveLength(2);
  });

  it("may be deflated without zlib's header", async () => {
    const { send } = await open();
    for (const text of [body, large]) {
      expect((await send(deflateRawSync(text), { "content-encoding": "deflate" })).status).toBe(200);
    }
  });

  it.each(Object.keys(packers))("that end too early or are damaged are refused: %s", async (encoding) => {
    const { send, calls } = await open();
    for (const text of [body, large]) {
      const packed = (packers[encoding] ?? gzipSync)(text);
      for (const wrong of [packed.subarray(0, -10), Buffer.concat([Buffer.from("{}"), packed])]) {
        const answer = await send(wrong, { "content-encoding": encoding });
        expect(answer).toMatchObject({ status: 400, json: { error: "request_decoding_error" } });
      }
    }
    expect(calls).toEqual([]);
  });

  it("that want more memory to be unpacked than HTTP allows are refused", async () => {
    const { send } = await open();
    const params = { [constants.ZSTD_c_windowLog]: 26 };
    const packed = zstdCompressSync(Buffer.alloc(40 * MB, " "), { params });
    const answer = await send(packed, { "content-encoding": "zstd" });
    expect(answer).toMatchObject({ status: 400, json: { error: "request_decoding_error" } });
  });

  it.each(Object.keys(packers))("that unpack to more than 50 MiB are refused: %s", async (encoding) => {
    const { send } = await open();
    const params = { [constants.BROTLI_PARAM_QUALITY]: 4 };
    const bomb = Buffer.alloc(51 * MB, " ");
    const packed = encoding === "br" ? brotliCompressSync(bomb, { params }) : (packers[encoding] ?? gzipSync)(bomb);
    const answer = await send(packed, { "content-encoding": encoding });
    expect(answer).toMatchObject({ status: 413, json: { error: "payload_too_large" } });
    expect(answer.headers.get("retry-after")).toBeNull();
  });

  it("of more than 10 MiB on the wire are refused", async () => {
    const { send } = await open();
    const padded = (bytes: number) => body + " ".repeat(bytes - body.length);
    expect((await send(padded(10 * MB))).status).toBe(200);
    expect(await send(padded(10 * MB + 1))).toMatchObject({ status: 413, json: { error: "payload_too_large" } });
  });

  it("for which there is no room now may come again", async () => {
    const { send } = await open({ limits: { maxInFlightBytes: 1000 } });
    const answer = await send(" ".repeat(1001));
    expect(answer).toMatchObject({ status: 503, json: { error: "service_unavailable" } });
    expect(answer.headers.get("retry-after")).toBe("1");
  });

  it("that take too long are given up with 408", async () => {
    const { url } = await open({ limits: { headersTimeoutMs: 50, requestTimeoutMs: 60 } });
    const lines = Object.entries({ ...V1_HEADERS, "content-length": "100" }).map((line) => line.join(": "));
    const { received } = await exchange(url, [rawPost(V1_PATH, "{", lines)]);
    expect(statusesOf(received)).toEqual([408]);
  });
});

describe("each event has a result", () => {
  const drops: readonly (readonly [string, object])[] = [
    ["dropped_performance_event", { event: "$performance_event" }],
    ["missing_event_name", { event: "" }],
    ["event_name_too_long", { event: "é".repeat(101) }],
    ["missing_distinct_id", { distinct_id: " " }],
    ["distinct_id_too_large", { distinct_id: "é".repeat(101) }],
    ["invalid_event_timestamp", { timestamp: "" }],
    ["invalid_event_timestamp", { timestamp: "2026-10-01" }],
    ["invalid_event_timestamp", { timestamp: "2026-02-30T09:30:00Z" }],
    ["invalid_event_timestamp", { timestamp: "0000-01-01T00:00:00Z" }],
    ["malformed_event_properties", { properties: [] }],
    ["malformed_event_properties", { properties: null }],
    ["invalid_options", { options: [] }],
    ["invalid_options", { options: { cookieless_mode: "perhaps" } }],
    ["invalid_options", { options: { disable_skew_correction: {} } }],
    ["invalid_options", { options: { product_tour_id: 1.5 } }],
    ["event_too_big", { properties: { text: "x".repeat(900_000) } }],
  ];

  it("in the order of the batch, under its uuid in lower case", async () => {
    const { send, calls } = await open();
    const upper = "F199F3A2-7000-7D3C-9C43-7F6F6A1D2E01";
    const batch = [v1Event(0, { uuid: ` ${upper} ` }), ...drops.map(([, fields], at) => v1Event(at + 1, fields))];
    const { status, text, headers } = await send(v1Batch(...batch, v1Event(99)));
    const results = [
      [upper.toLowerCase(), { result: "ok" }],
      ...drops.map(([details], at) => [uuidOf(at + 1), { result: "drop", details }]),
      [uuidOf(99), { result: "ok" }],
    ];
    expect([status, text]).toEqual([200, JSON.stringify({ results: Object.fromEntries(results) })]);
    expect(headers.get("posthog-request-id")).toBe(REQUEST_ID);
    expect(headers.get("retry-after")).toBeNull();
    expect(calls.map((bodies) => bodies.map(({ uuid }) => uuid))).toEqual([[upper.toLowerCase(), uuidOf(99)]]);
  });

  it("and the engine is not asked when none is left", async () => {
    const { send, calls } = await open();
    expect((await send(v1Batch(v1Event(1, { event: "" })))).json.results[uuidOf(1)].result).toBe("drop");
    expect(calls).toEqual([]);
  });

  it("that says what nests too deeply to be stored", async () => {
    const { send } = await open();
    const [deep, good] = [v1Event(1, { properties: "|" }), v1Event(2)];
    const body = JSON.stringify(v1Batch(deep, good)).replace('"|"', `{"a":${nestedArrays(100_000)}}`);
    expect((await send(body)).json.results).toEqual({
      [uuidOf(1)]: { result: "drop", details: "serialization_failed" },
      [uuidOf(2)]: { result: "ok" },
    });
  });

  it("as the engine says", async () => {
    const outcomes: readonly Outcome[] = [
      DELIVERED,
      { kind: "delivered", note: "engine: a reserved id", code: "person_processing_disabled" },
      { kind: "dead", reason: "engine: too long", code: "invalid_group_key" },
      { kind: "dead", reason: "engine: no" },
      { kind: "retry", reason: "engine: not now" },
    ];
    const { send } = await open({ capture: () => outcomes });
    const { json, headers } = await send(v1Batch(...outcomes.map((_, at) => v1Event(at))));
    expect(Object.values(json.results)).toEqual([
      { result: "ok" },
      { result: "ok", details: "person_processing_disabled" },
      { result: "drop", details: "invalid_group_key" },
      { result: "drop", details: "rejected" },
      { result: "retry", details: "not_persisted" },
    ]);
    expect(headers.get("retry-after")).toBe("1");
  });

  it("to send again what an engine that is away did not store, and nothing else", async () => {
    const { send, errors } = await open({
      capture: () => Promise.reject(new PrickleError("ENGINE_UNAVAILABLE", "The disk is full.")),
    });
    const answer = await send(v1Batch(v1Event(1), v1Event(2, { event: "" })));
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.json.results).toEqual({
      [uuidOf(1)]: { result: "retry", details: "not_persisted" },
      [uuidOf(2)]: { result: "drop", details: "missing_event_name" },
    });
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(errors).toEqual([]);
  });
});

describe("what cannot be said of each event", () => {
  it.each([
    [500, "internal_error", new TypeError("a bug"), "1", 1],
    [404, "not_found", new PrickleError("NOT_FOUND", "There is no engine."), null, 0],
  ])("is said of the request: %i %s", async (status, error, thrown, retryAfter, logged) => {
    const { send, errors } = await open({ capture: () => Promise.reject(thrown) });
    const answer = await send(v1Batch(v1Event(1)));
    expect(answer).toMatchObject({ status, json: { error } });
    expect(answer.text).not.toContain("a bug");
    expect(answer.headers.get("retry-after")).toBe(retryAfter);
    expect(errors).toHaveLength(logged);
  });
});

describe("before it is stored", () => {
  async function stored(fields: object, headers: Readonly<Record<string, string>> = {}) {
    const { send, calls } = await open();
    await send(v1Batch(v1Event(1, fields)), headers);
    return calls[0]?.[0];
  }

  it("an event has the form of v0, and gains what its request and its options say", async () => {
    const options = {
      cookieless_mode: "TRUE ",
      disable_skew_correction: 1,
      process_person_profile: "0",
      product_tour_id: 42,
      another: [],
    };
    const own = { $lib: "own", $session_id: "own", plan: "pro", __proto__: null };
    const fields = { distinct_id: " ada ", session_id: "s", window_id: "w", options, properties: own };
    expect(await stored(fields)).toEqual({
      event: "E",
      distinct_id: "ada",
      uuid: uuidOf(1),
      timestamp: "2026-10-01T09:30:00.000Z",
      properties: {
        plan: "pro",
        $session_id: "s",
        $window_id: "w",
        $cookieless_mode: true,
        $ignore_sent_at: true,
        $process_person_profile: false,
        $product_tour_id: "42",
        $lib: "posthog/test",
        $lib_version: "1.2.3",
      },
    });
  });

  it("keeps its own library where the header names none", async () => {
    for (const info of ["test", "/1", "test/", `${"x".repeat(200)}/1`]) {
      const event = await stored(
        { properties: { $lib: "own" }, session_id: null, options: { cookieless_mode: null } },
        { "posthog-sdk-info": info },
      );
      expect(event?.properties).toEqual({ $lib: "own" });
    }
    expect((await stored({ properties: undefined, options: null }, { "posthog-sdk-info": "t/1" }))?.properties).toEqual(
      {
        $lib: "t",
        $lib_version: "1",
      },
    );
  });

  it.each([
    ["moves with the difference of the clocks", "2026-10-01T08:30:00+00:00", {}, "2026-10-01T09:29:52.000Z"],
    ["is as stated where the event says so", "2026-10-01T08:30:00Z", { disable_skew_correction: true }, null],
    ["is now when it is more than 23 hours ahead", "2026-10-02T08:30:11Z", {}, "2026-10-01T09:30:02.000Z"],
    ["is 23 hours ahead at most", "2026-10-02T07:30:09Z", {}, "2026-10-02T08:30:01.000Z"],
    ["may lie far ahead where the event says so", "2027-01-01T00:00:00Z", { disable_skew_correction: true }, null],
  ])("its time %s", async (_, timestamp, options, expected) => {
    // The sender's clock is an hour and ten seconds off, ours stands at 09:30:02.
    const headers = { "posthog-request-timestamp": "2026-10-01T08:30:10Z" };
    const event = await stored({ timestamp, options }, headers);
    expect(event?.timestamp).toBe(expected ?? timestamp.replace("Z", ".000Z"));
  });
});

it("lets browsers ask first, and read the answer", async () => {
  const { url, send } = await open();
  const origin = "https://app.example.com";
  const asked = await fetch(`${url}${V1_PATH}`, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-headers": "authorization, posthog-attempt" },
  });
  expect(asked.status).toBe(204);
  expect(asked.headers.get("access-control-allow-headers")).toBe("authorization, posthog-attempt");
  for (const headers of [{ origin }, { origin, authorization: undefined }]) {
    expect((await send(v1Batch(v1Event(1)), headers)).headers.get("access-control-allow-origin")).toBe(origin);
  }
});
