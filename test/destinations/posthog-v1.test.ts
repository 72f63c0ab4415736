/** The PostHog destination against PostHog's v1 capture on loopback. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../../src/core/clock.ts";
import type { Destination } from "../../src/core/destination.ts";
import type { OutboxMessage } from "../../src/core/message.ts";
import { createPosthogDestination, type PosthogOptions } from "../../src/destinations/posthog/posthog.ts";
import { groupIdentify, outboxMessages, toOutbox, uuidIn, uuidOf } from "../fakes/outbox.ts";
import { type Failure, type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import type { V1Result } from "../fakes/posthog-v1.ts";

const TOKEN = "phc_test_token";
const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const unsignalled = new AbortController().signal;

let posthog: FakePosthog;
let destination: Destination;
let slept: number[];

beforeEach(async () => {
  posthog = await startFakePosthog();
  destination = open();
});

afterEach(async () => {
  await destination.close();
  await posthog.close();
});

function open(options: Partial<PosthogOptions> = {}): Destination {
  slept = [];
  const host = posthog.url;
  const defaults = { name: "posthog", host, token: TOKEN, version: "1.2.3", timeoutMs: 5000, clock: movingClock() };
  return createPosthogDestination({ ...defaults, protocol: "v1", ...options });
}

/** Sleeping takes no time but moves it on. */
function movingClock(): Clock {
  let now = NOW;
  return {
    now: () => now,
    async sleep(ms) {
      slept.push(ms);
      now += ms;
    },
  };
}

async function reopen(options: Partial<PosthogOptions>): Promise<void> {
  await destination.close();
  destination = open(options);
}

function deliver(messages: readonly OutboxMessage[]) {
  return destination.deliver(messages, unsignalled);
}

function event(sequence: number, properties: object, more: object = {}): OutboxMessage {
  const uuid = uuidOf(sequence);
  const timestamp = `2026-10-01T00:00:00.${String(sequence).padStart(3, "0")}Z`;
  const { event: name = "Deployed", distinct_id = `user-${sequence}`, ...top }: Record<string, unknown> = { ...more };
  const json = JSON.stringify({ event: name, distinct_id, uuid, timestamp, properties, ...top });
  return toOutbox({ uuid, lane: sequence % 4, json }, sequence);
}

function answering(results: Readonly<Record<number, V1Result | null>>, retryAfter?: string): Failure {
  const byUuid = Object.entries(results).map(([sequence, result]) => [uuidOf(Number(sequence)), result]);
  return { kind: "results", results: Object.fromEntries(byUuid), ...(retryAfter ? { retryAfter } : {}) };
}

const kinds = (outcomes: readonly { readonly kind: string }[]) => outcomes.map(({ kind }) => kind);
const bodyOf = (request: number) => JSON.parse(posthog.requests[request]?.text ?? "{}");

describe("the request", () => {
  it("has the headers, and each message as v1 wants it", async () => {
    const messages = outboxMessages(2);
    expect(kinds(await deliver(messages))).toEqual(["delivered", "delivered"]);
    const [request] = posthog.requests;
    expect(request?.headers).toMatchObject({
      authorization: `Bearer ${TOKEN}`,
      "content-type": "application/json",
      "content-encoding": "zstd",
      "user-agent": "prickle/1.2.3",
      "posthog-sdk-info": "prickle/1.2.3",
      "posthog-attempt": "1",
      "posthog-request-timestamp": "2026-11-23T12:00:00.000Z",
    });
    const body = bodyOf(0);
    expect(Object.keys(body)).toEqual(["created_at", "batch"]);
    expect(body.created_at).toBe("2026-11-23T12:00:00.000Z");
    const inOutbox = JSON.parse(String(messages[1]?.body));
    expect(body.batch[1]).toEqual({
      ...inOutbox,
      properties: { ...inOutbox.properties, $geoip_disable: true },
      options: { disable_skew_correction: true },
    });
    expect(posthog.events()[1]?.properties).toMatchObject({ $lib: "prickle", $lib_version: "1.2.3" });
    expect(posthog.events()[1]?.timestamp).toBe(inOutbox.timestamp);
  });

  it("packs with zstd, with gzip, or not at all, when told to", async () => {
    for (const compression of ["zstd", "gzip", "none"] as const) {
      await reopen({ compression });
      expect(kinds(await deliver(outboxMessages(3)))).toEqual(Array(3).fill("delivered"));
    }
    expect(posthog.requests.map(({ headers }) => headers["content-encoding"])).toEqual(["zstd", "gzip", undefined]);
    expect(posthog.events()).toHaveLength(3);
  });

  it("leaves packing away for good once the server does not know the encoding", async () => {
    posthog.failNext({ kind: "status", status: 415 });
    expect(kinds(await deliver(outboxMessages(1)))).toEqual(["delivered"]);
    await deliver(outboxMessages(1));
    expect(posthog.requests.map(({ headers }) => headers["content-encoding"])).toEqual(["zstd", undefined, undefined]);
  });

  it("moves what v0 has among the properties, and never changes what is in the outbox", async () => {
    const stored = event(
      1,
      {
        plan: "pro",
        $groups: { company: "acme" },
        $lib: "web",
        $lib_version: "9",
        $session_id: "s-1",
        $window_id: 7,
        $process_person_profile: "TRUE ",
        $cookieless_mode: 0,
        $ignore_sent_at: false,
        $product_tour_id: 12,
        $set: { a: 1 },
        nested: { $lib: "kept", text: '"$set"' },
      },
      { $set: { b: 2 }, $set_once: { c: 3 } },
    );
    const before = String(stored.body);
    expect(await deliver([stored])).toEqual([{ kind: "delivered" }]);
    expect(String(stored.body)).toBe(before);
    expect(bodyOf(0).batch[0]).toEqual({
      event: "Deployed",
      distinct_id: "user-1",
      uuid: uuidOf(1),
      timestamp: "2026-10-01T00:00:00.001Z",
      session_id: "s-1",
      options: { process_person_profile: true, cookieless_mode: false, disable_skew_correction: true },
      properties: {
        plan: "pro",
        $groups: { company: "acme" },
        $window_id: 7,
        $set: { a: 1 },
        $set_once: { c: 3 },
        $geoip_disable: true,
        nested: { $lib: "kept", text: '"$set"' },
      },
    });
  });

  it("sends what PostHog's clients keep on v0 by v0, in a request of its own", async () => {
    const ai = event(2, { model: "m" }, { event: "$ai_generation" });
    expect(kinds(await deliver([event(1, {}), ai, event(3, {})]))).toEqual(Array(3).fill("delivered"));
    expect(posthog.requests.map(({ protocol, uuids }) => [protocol, uuids])).toEqual([
      ["v1", [uuidOf(1), uuidOf(3)]],
      ["v0", [uuidOf(2)]],
    ]);
  });
});

describe("the result of each event", () => {
  it("settles each message by itself", async () => {
    posthog.failNext(
      answering({
        1: { result: "warning", details: "person_processing_disabled" },
        2: { result: "drop", details: "event_too_big" },
        3: { result: "limited" },
        4: { result: "sideways", details: "new" },
        5: null,
        6: { result: "ok", details: "seen_before" },
      }),
    );
    const outcomes = await deliver([0, 1, 2, 3, 4, 5, 6].map((sequence) => event(sequence, { a: 1 })));
    expect(outcomes).toEqual([
      { kind: "delivered" },
      {
        kind: "delivered",
        note: "PostHog answered warning: person_processing_disabled",
        code: "person_processing_disabled",
      },
      { kind: "dead", reason: "PostHog answered drop: event_too_big", code: "event_too_big" },
      { kind: "dead", reason: "PostHog answered limited", code: "limited" },
      {
        kind: "dead",
        reason: 'PostHog answered with a result that is not known: {"result":"sideways","details":"new"}',
        code: "unknown_result",
      },
      { kind: "delivered", note: "PostHog's answer leaves the event out", code: "absent" },
      { kind: "delivered", note: "PostHog answered ok: seen_before", code: "seen_before" },
    ]);
  });

  it.each(["ok", "warning"])("takes %s without person processing for a failed write of a group", async (result) => {
    const details = "person_processing_disabled";
    posthog.failNext(answering({ 0: { result, details }, 1: { result, details } }));
    const identify = toOutbox(groupIdentify("acme", 0), 0);
    const outcomes = await deliver([identify, event(1, { $groups: { company: "acme" } })]);
    expect(outcomes).toMatchObject([
      { kind: "dead", code: details },
      { kind: "dead", code: details },
    ]);
    expect(posthog.events()).toHaveLength(2);
    expect([...posthog.groups]).toEqual([]);
  });

  it("sends what was not stored again, alone, with everything kept that must be", async () => {
    posthog.failNext(
      answering({ 1: { result: "retry", details: "not_persisted" }, 3: { result: "retry" } }, "1"),
      answering({ 3: { result: "retry" } }, "7"),
    );
    const messages = [0, 1, 2, 3].map((sequence) => event(sequence, {}));
    const outcomes = await deliver(messages);
    expect(kinds(outcomes)).toEqual(["delivered", "delivered", "delivered", "retry"]);
    expect(outcomes[1]).toMatchObject({ code: "repeated" });
    expect(outcomes[3]).toMatchObject({ afterMs: 7000 });
    // The outbox gives it again, with others.
    expect(kinds(await deliver([event(3, {}), event(4, {})]))).toEqual(["delivered", "delivered"]);
    expect(posthog.requests.map(({ uuids }) => uuids)).toEqual([
      [0, 1, 2, 3].map(uuidOf),
      [1, 3].map(uuidOf),
      [uuidOf(3)],
      [uuidOf(4)],
    ]);
    const heads = posthog.requests.map(({ headers }) => headers);
    const [id, ...others] = heads.map((head) => head["posthog-request-id"]);
    expect(others.map((other) => other === id)).toEqual([true, true, false]);
    expect(heads.map((head) => head["posthog-attempt"])).toEqual(["1", "2", "3", "1"]);
    expect(heads.map((head) => head["posthog-request-timestamp"]).slice(0, 2)).toEqual([
      "2026-11-23T12:00:00.000Z",
      "2026-11-23T12:00:01.000Z",
    ]);
    expect(new Set([0, 1, 2].map((request) => bodyOf(request).created_at)).size).toBe(1);
    expect(bodyOf(2).batch).toEqual(bodyOf(1).batch.slice(1));
    expect(posthog.arrivals.toSorted()).toEqual([...messages, event(4, {})].map(uuidIn));
  });

  it("settles what was answered finally, while the rest waits for as long as PostHog asks for", async () => {
    posthog.failNext(answering({ 1: { result: "retry" } }, "120"));
    const outcomes = await deliver([event(0, {}), event(1, {}), event(2, {})]);
    expect(kinds(outcomes)).toEqual(["delivered", "retry", "delivered"]);
    expect(outcomes[1]).toMatchObject({ afterMs: 120_000 });
    expect(outcomes[1]).not.toHaveProperty("retryAfterMs");
    expect(slept).toEqual([]);
  });

  it("begins anew what an earlier process was told to send again", async () => {
    posthog.failNext(answering({ 1: { result: "retry" } }, "120"));
    await deliver([event(1, {})]);
    await reopen({});
    expect(kinds(await deliver([event(1, {})]))).toEqual(["delivered"]);
    const [first, second] = posthog.requests.map(({ headers }) => headers);
    expect(second?.["posthog-attempt"]).toBe("1");
    expect(second?.["posthog-request-id"]).not.toBe(first?.["posthog-request-id"]);
  });

  it("settles what an answer of PostHog's without results leaves out, with a note, and believes it of nobody else", async () => {
    const messages = [event(1, {}), event(2, {})];
    posthog.failNext({ kind: "status", status: 200, body: "{}", echoes: true });
    expect(await deliver(messages)).toEqual(
      Array(2).fill({ kind: "delivered", note: "PostHog's answer leaves the event out", code: "absent" }),
    );
    posthog.failNext({ kind: "status", status: 200, body: "{}" });
    expect(await deliver(messages)).toMatchObject(Array(2).fill({ kind: "retry", cause: "blocked" }));
  });

  it("settles thousands of events of one answer", async () => {
    const messages = Array.from({ length: 5000 }, (_, sequence) => event(sequence, {}));
    expect(new Set(kinds(await deliver(messages)))).toEqual(new Set(["delivered"]));
  });
});

describe("order", () => {
  const identifies = (keys: readonly string[]) =>
    keys.map((key, sequence) => toOutbox(groupIdentify(key, sequence), sequence));
  const sent = () => posthog.requests.map(({ uuids }) => uuids.map((uuid) => Number(uuid.slice(-3))));

  it("puts one identify of each group into a request, since each may have to be sent again alone", async () => {
    expect(kinds(await deliver(identifies(["a", "b", "a", "c", "a", "b"])))).toEqual(Array(6).fill("delivered"));
    expect(sent()).toEqual([[0, 1, 3], [2, 5], [4]]);
  });

  it("puts one event with person properties of each person into a request, and any number without", async () => {
    const of = (sequence: number, properties: object) => event(sequence, properties, { distinct_id: "ada" });
    await deliver([of(0, { $set: { plan: "a" } }), of(1, {}), of(2, { $set_once: { at: 1 } }), of(3, {})]);
    expect(sent()).toEqual([[0, 1, 3], [2]]);
  });

  it("keeps later identifies of a group back when an earlier one is not stored, and lets others go", async () => {
    posthog.failWhen((uuids) => (uuids.includes(uuidOf(0)) ? answering({ 0: { result: "retry" } }) : null));
    const outcomes = await deliver(identifies(["a", "b", "a", "b", "a"]));
    expect(kinds(outcomes)).toEqual(["retry", "delivered", "later", "delivered", "later"]);
    expect(posthog.arrivals).toEqual([uuidOf(1), uuidOf(3)]);
  });

  it("sends an identify again before a later one of its group", async () => {
    const [first, later, other] = identifies(["a", "a", "b"]);
    if (!first || !later || !other) throw new Error("there are three");
    posthog.failNext(answering({ 0: { result: "retry" } }, "60"));
    expect(kinds(await deliver([first, later]))).toEqual(["retry", "later"]);
    expect(kinds(await deliver([first, later, other]))).toEqual(Array(3).fill("delivered"));
    expect(sent()).toEqual([[0], [0], [1, 2]]);
  });

  it("sends nothing more of a batch once the server fails", async () => {
    posthog.failNext(null, { kind: "status", status: 503 });
    expect(kinds(await deliver(identifies(["a", "a", "a"])))).toEqual(["delivered", "retry", "later"]);
    expect(posthog.requests).toHaveLength(2);
  });

  it("never has one uuid twice in a request", async () => {
    const message = event(1, {});
    for (const protocol of ["v1", "v0"] as const) {
      await reopen({ protocol });
      expect(kinds(await deliver([message, event(2, {}), message]))).toEqual(Array(3).fill("delivered"));
    }
    expect(sent()).toEqual([[1, 2], [1], [1, 2], [1]]);
  });
});

describe("what is said of the request as a whole", () => {
  async function outcomeOf(failure: Failure) {
    posthog.failNext(failure);
    const [outcome] = await deliver([event(1, {})]);
    return outcome;
  }

  const passing: readonly (readonly [string, Failure, object])[] = [
    ["a 408", { kind: "status", status: 408 }, { cause: "busy" }],
    ["a 429", { kind: "status", status: 429 }, { cause: "busy", retryAfterMs: 30_000 }],
    [
      "a 4xx that PostHog does not have, with Retry-After",
      { kind: "status", status: 418, retryAfter: "90", body: '{"error":"teapot"}' },
      { cause: "blocked", retryAfterMs: 90_000 },
    ],
    ["a 500", { kind: "status", status: 500 }, {}],
    ["a 502 of a proxy", { kind: "status", status: 502, body: "<html>" }, {}],
    ["a 503 with Retry-After", { kind: "status", status: 503, retryAfter: "1" }, { cause: "busy", retryAfterMs: 1000 }],
    ["a 504", { kind: "status", status: 504 }, { cause: "busy" }],
    ["a reset", { kind: "reset" }, {}],
    ["an answer cut short", { kind: "truncatedAnswer" }, {}],
    ["a refused token", { kind: "status", status: 401 }, { cause: "blocked", retryAfterMs: 60_000 }],
    ["a forbidden one", { kind: "status", status: 403 }, { cause: "blocked", retryAfterMs: 60_000 }],
    ["an unpaid bill", { kind: "quotaLimited" }, { cause: "blocked", retryAfterMs: 300_000 }],
    [
      "an unpaid bill as older servers say it",
      { kind: "status", status: 429, body: '{"error":"billing_limit_exceeded"}' },
      { cause: "blocked", retryAfterMs: 300_000 },
    ],
    [
      "a fault of our own",
      { kind: "status", status: 400, body: '{"error":"invalid_header_value"}' },
      { cause: "blocked", retryAfterMs: 60_000 },
    ],
    ["a path that is not there", { kind: "status", status: 404 }, { cause: "blocked", retryAfterMs: 60_000 }],
    ["a 200 of somebody else", { kind: "status", status: 200, body: "<html>" }, { cause: "blocked" }],
  ];
  it.each(passing)("loses nothing to %s", async (_, failure, more) => {
    expect(await outcomeOf(failure)).toMatchObject({ kind: "retry", ...more });
    expect(posthog.requests).toHaveLength(1);
  });

  it("bounds an answer that drips without end", async () => {
    await reopen({ timeoutMs: 60 });
    expect(await outcomeOf({ kind: "drip", everyMs: 5 })).toMatchObject({ kind: "retry", cause: "busy" });
  });

  it("takes a batch that is too large apart, under new request ids", async () => {
    posthog.failWhen((uuids) => (uuids.length > 3 ? { kind: "status", status: 413 } : null));
    const messages = Array.from({ length: 10 }, (_, sequence) => event(sequence, {}));
    expect(kinds(await deliver(messages))).toEqual(Array(10).fill("delivered"));
    const ids = posthog.requests.map(({ headers }) => headers["posthog-request-id"]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("gives up the one event for which a batch is refused", async () => {
    posthog.failWhen((uuids) => (uuids.includes(uuidOf(3)) ? { kind: "status", status: 400 } : null));
    const outcomes = await deliver(Array.from({ length: 8 }, (_, sequence) => event(sequence, {})));
    expect(kinds(outcomes).map((kind) => kind === "dead")).toEqual([..."00010000"].map((digit) => digit === "1"));
  });
});
