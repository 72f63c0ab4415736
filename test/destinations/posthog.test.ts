/** The PostHog destination against PostHog's v0 capture on loopback. */

import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../../src/core/clock.ts";
import type { Destination } from "../../src/core/destination.ts";
import type { OutboxMessage } from "../../src/core/message.ts";
import { createPosthogDestination, type PosthogOptions } from "../../src/destinations/posthog/posthog.ts";
import { event, LANES, outboxMessages, toOutbox, uuidIn, uuidOf } from "../fakes/outbox.ts";
import { messageFrom } from "../fakes/parcels.ts";
import { type Failure, type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";

const TOKEN = "phc_test_token";
const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const OWN = { $ignore_sent_at: true, $geoip_disable: true, $lib: "prickle", $lib_version: "1.2.3" };
const unsignalled = new AbortController().signal;

let posthog: FakePosthog;
let destination: Destination;

beforeEach(async () => {
  posthog = await startFakePosthog();
  posthog.rules.now = () => NOW;
  destination = open();
});

afterEach(async () => {
  await destination.close();
  await posthog.close();
});

function open(options: Partial<PosthogOptions> = {}): Destination {
  return createPosthogDestination({
    name: "posthog",
    host: posthog.url,
    token: TOKEN,
    version: "1.2.3",
    timeoutMs: 5000,
    clock: standingClock(),
    protocol: "v0",
    ...options,
  });
}

/** Stands still, and never makes anybody wait. */
function standingClock(): Clock {
  return { now: () => NOW, sleep: async () => undefined };
}

function deliver(messages: readonly OutboxMessage[]) {
  return destination.deliver(messages, unsignalled);
}

async function outcomeOf(failure: Failure) {
  posthog.failNext(failure);
  const [outcome] = await deliver(outboxMessages(1));
  return outcome;
}

function withJson(json: string, sequence: number): OutboxMessage {
  return toOutbox({ uuid: uuidOf(sequence), lane: 0, json }, sequence);
}

describe("the request", () => {
  it("carries the token, gzip, each message as it is in the outbox, and what keeps its time and place", async () => {
    const messages = outboxMessages(2);
    await deliver(messages);
    const [request] = posthog.requests;
    expect(request?.headers).toMatchObject({ "content-encoding": "gzip", "content-type": "application/json" });
    expect(request?.headers["user-agent"]).toBe("prickle/1.2.3");
    expect(request?.wireBytes).toBeLessThan(request?.text.length ?? 0);
    const body = JSON.parse(request?.text ?? "");
    expect(Object.keys(body)).toEqual(["api_key", "batch"]);
    expect(body.api_key).toBe(TOKEN);
    const inOutbox = JSON.parse(String(messages[1]?.body));
    expect(body.batch[1]).toEqual({ ...inOutbox, properties: { ...inOutbox.properties, ...OWN } });
    expect(inOutbox.timestamp).toBe("2026-10-01T00:00:00.001Z");
  });

  it("is well-formed for an event without properties and for texts of every script", async () => {
    const head = `"uuid":"${uuidOf(1)}","timestamp":"2026-10-01T00:00:00.000Z"`;
    await deliver([
      withJson(`{"event":"a","distinct_id":"u",${head},"properties":{}}`, 1),
      withJson(
        `{"event":"b","distinct_id":"ü😀","uuid":"${uuidOf(2)}","timestamp":"2026-10-01T00:00:00.000Z","properties":{"a":{"b":{}}}}`,
        2,
      ),
    ]);
    expect(posthog.events().map(({ distinctId, properties }) => ({ distinctId, properties }))).toEqual([
      { distinctId: "u", properties: OWN },
      { distinctId: "ü😀", properties: { a: { b: {} }, ...OWN } },
    ]);
  });

  describe("of history", () => {
    const DAY_MS = 86_400_000;
    const flags = () => posthog.requests.map(({ text }) => JSON.parse(text).historical_migration);
    const old = (occurredAt: number, sequence = 1) =>
      toOutbox(event("u", sequence, { occurredAt, service: "historical" }), sequence);

    it("says that it is a historical migration, and is like any other beside that", async () => {
      await deliver([old(NOW - 3 * DAY_MS), old(NOW - 9 * DAY_MS, 2)]);
      await deliver(outboxMessages(1));
      expect(flags()).toEqual([true, undefined]);
      expect(posthog.events()).toHaveLength(3);
      expect([...posthog.history]).toEqual([uuidOf(1), uuidOf(2)]);
    });

    it("does not say so of anything that is too young by PostHog's clock, which may be behind", async () => {
      await deliver([old(NOW - 2 * DAY_MS)]);
      await deliver([old(NOW - 3 * DAY_MS, 2), old(NOW - 2 * DAY_MS + 1, 3)]);
      expect(flags()).toEqual([undefined, undefined]);
    });

    it("is looked for in the time of the event, not in what only looks like it", async () => {
      const name = '","timestamp":"2026-11-23T12:00:00.000Z';
      const draft = { kind: "event", event: name, distinctId: name, properties: {}, groups: {} } as const;
      const context = { uuid: uuidOf(1), occurredAt: NOW - 3 * DAY_MS, lanes: LANES, service: "historical" } as const;
      await deliver([toOutbox(messageFrom(draft, context), 1)]);
      expect(flags()).toEqual([true]);
    });

    it("does not say so of what is live, however old, nor where it is not wanted", async () => {
      await deliver([toOutbox(event("u", 1, { occurredAt: NOW - 9 * DAY_MS }), 1)]);
      await destination.close();
      destination = open({ historicalMigration: false });
      await deliver([old(NOW - 9 * DAY_MS, 2)]);
      expect(flags()).toEqual([undefined, undefined]);
    });

    it("comes after the group types were named in a request that is none", async () => {
      await destination.close();
      destination = open({ claimedGroupTypes: ["company", "team"] });
      await deliver([old(NOW - 3 * DAY_MS)]);
      expect(flags()).toEqual([undefined, true]);
    });

    it("has a rate of its own", () => {
      expect(destination.limits).toMatchObject({ messagesPerSecond: 1000, historical: { messagesPerSecond: 1000 } });
    });
  });

  it("keeps time and count when it is repeated", async () => {
    posthog.failNext({ kind: "applyThenDrop" });
    const messages = outboxMessages(5);
    expect((await deliver(messages)).map(({ kind }) => kind)).toEqual(Array(5).fill("retry"));
    expect((await deliver(messages)).map(({ kind }) => kind)).toEqual(Array(5).fill("delivered"));
    expect(posthog.arrivals).toHaveLength(10);
    expect(posthog.events().map(({ timestamp }) => timestamp)).toEqual(
      [0, 1, 2, 3, 4].map((ms) => `2026-10-01T00:00:00.00${ms}Z`),
    );
  });
});

describe("what is tried again", () => {
  const passing: readonly (readonly [string, Failure])[] = [
    ["a 500", { kind: "status", status: 500 }],
    ["a 503", { kind: "status", status: 503 }],
    ["a 408", { kind: "status", status: 408 }],
    ["a reset", { kind: "reset" }],
    ["a dropped connection", { kind: "applyThenDrop" }],
    ["a truncated answer", { kind: "truncatedAnswer" }],
    ["a 200 of somebody else", { kind: "status", status: 200, body: "<html>Sign in</html>" }],
    ["a 200 with another status", { kind: "status", status: 200, body: `{"status":"Error"}` }],
  ];
  it.each(passing)("%s, without holding back the whole destination", async (_, failure) => {
    const outcome = await outcomeOf(failure);
    expect(outcome).toMatchObject({ kind: "retry" });
    expect(outcome).not.toHaveProperty("retryAfterMs");
  });

  const pausing: readonly (readonly [string, Failure, number])[] = [
    ["Retry-After in seconds", { kind: "status", status: 429, retryAfter: "17" }, 17_000],
    ["a 429 without Retry-After", { kind: "status", status: 429 }, 30_000],
    ["Retry-After as a date", { kind: "status", status: 429, retryAfter: "Mon, 23 Nov 2026 12:01:00 GMT" }, 60_000],
    ["Retry-After on a 503", { kind: "status", status: 503, retryAfter: "2" }, 2000],
    ["a refused token", { kind: "status", status: 401 }, 60_000],
    ["a forbidden one", { kind: "status", status: 403 }, 60_000],
    ["a wrong host", { kind: "status", status: 404 }, 60_000],
    ["a 4xx that PostHog does not have", { kind: "status", status: 418 }, 60_000],
    ["one with a short Retry-After", { kind: "status", status: 418, retryAfter: "5" }, 60_000],
    ["one with a long Retry-After", { kind: "status", status: 418, retryAfter: "90" }, 90_000],
    ["a redirect", { kind: "status", status: 302 }, 60_000],
    ["an unpaid bill", { kind: "status", status: 402 }, 300_000],
    ["a batch thrown away for its quota", { kind: "quotaLimited" }, 300_000],
  ];
  it.each(pausing)("%s, holding back the whole destination", async (_, failure, retryAfterMs) => {
    expect(await outcomeOf(failure)).toMatchObject({ kind: "retry", retryAfterMs });
  });

  it("a rate that was too high, letting live messages go on where those of history were too many", async () => {
    expect(await outcomeOf({ kind: "status", status: 429, retryAfter: "17" })).toHaveProperty("isOfRate", true);
    expect(await outcomeOf({ kind: "status", status: 429 })).toHaveProperty("isOfRate", true);
    for (const status of [401, 402, 403, 404, 418]) {
      const outcome = await outcomeOf({ kind: "status", status, retryAfter: "5" });
      expect(outcome).toHaveProperty("cause", "blocked");
      expect(outcome).not.toHaveProperty("isOfRate");
    }
  });

  it("takes the acceptance of older servers", async () => {
    expect(await outcomeOf({ kind: "status", status: 200, body: `{"status":1}` })).toEqual({ kind: "delivered" });
  });

  it("a peer that hangs, when its time is up", async () => {
    await destination.close();
    destination = open({ timeoutMs: 50 });
    const outcome = await outcomeOf({ kind: "hang" });
    expect(outcome).toMatchObject({ kind: "retry", reason: expect.stringMatching(/Timeout/i), cause: "busy" });
  });

  it("a peer that hangs, when it is called off", async () => {
    posthog.failNext({ kind: "hang" });
    const controller = new AbortController();
    const outcomes = destination.deliver(outboxMessages(1), controller.signal);
    controller.abort();
    expect(await outcomes).toMatchObject([{ kind: "retry" }]);
  });

  it("a refused connection", async () => {
    const port = await closedPort();
    await destination.close();
    destination = open({ host: `http://127.0.0.1:${port}` });
    expect(await deliver(outboxMessages(1))).toMatchObject([
      { kind: "retry", reason: expect.stringContaining("ECONNREFUSED") },
    ]);
  });

  it("an answer without end, of which only the beginning is read", async () => {
    const outcome = await outcomeOf({ kind: "status", status: 500, body: "x".repeat(5_000_000) });
    expect(outcome?.kind === "retry" && outcome.reason.length).toBeLessThan(300);
  });
});

describe("what is given up", () => {
  it("the one event PostHog does not take, wherever it stands, and nothing else", async () => {
    for (const at of [0, 4, 9]) {
      const messages = outboxMessages(10).map((message, index) =>
        index === at ? withJson(Buffer.from(message.body).toString().replace('"$groupidentify"', '""'), at) : message,
      );
      const outcomes = await deliver(messages);
      expect(outcomes.map(({ kind }) => kind)).toEqual(
        messages.map((_, index) => (index === at ? "dead" : "delivered")),
      );
      expect(outcomes[at]).toMatchObject({ reason: expect.stringContaining("without an event name") });
    }
  });

  it("an event too large for PostHog, alone", async () => {
    posthog.failWhen((uuids) =>
      uuids.includes(uuidOf(3)) ? { kind: "status", status: 413, body: "too large" } : null,
    );
    const outcomes = await deliver(outboxMessages(8));
    expect(outcomes.map(({ kind }) => kind).indexOf("dead")).toBe(3);
    expect(outcomes.filter(({ kind }) => kind === "delivered")).toHaveLength(7);
  });

  it("nothing of a batch that is merely too large as a whole", async () => {
    posthog.failWhen((uuids) => (uuids.length > 3 ? { kind: "status", status: 413 } : null));
    const messages = outboxMessages(20);
    expect((await deliver(messages)).every(({ kind }) => kind === "delivered")).toBe(true);
    expect(posthog.arrivals).toEqual(messages.map(uuidIn));
  });

  it("nothing behind a part that has to wait", async () => {
    posthog.failNext(
      { kind: "status", status: 413 },
      null,
      { kind: "status", status: 413 },
      { kind: "status", status: 500 },
    );
    const outcomes = await deliver(outboxMessages(8));
    expect(outcomes.map(({ kind }) => kind)).toEqual([...Array(4).fill("delivered"), ...Array(4).fill("retry")]);
    expect(posthog.requests).toHaveLength(4);
  });
});

it("never repeats the token in a reason", async () => {
  const outcome = await outcomeOf({ kind: "status", status: 401, body: `unknown key ${TOKEN}` });
  expect(outcome).toMatchObject({ reason: expect.stringContaining("unknown key …") });
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}
