/** The doors for operators and machines: operations over HTTP, health, metrics, closing, and a ledger that is full. */

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { type ConfigInput, createSecret } from "../../src/config.ts";
import { PrickleError } from "../../src/core/errors.ts";
import type { Operations } from "../../src/core/operations.ts";
import { connectOperations } from "../../src/server/admin-client.ts";
import { startFakePosthog } from "../fakes/posthog.ts";
import { metricOf, PATIENCE, post, type Running, rawPost, startRunning, statusesOf, WITH_KEY } from "./running.ts";

const KEY_LINE = `Authorization: ${WITH_KEY.authorization}`;

let running: Running;

beforeAll(async () => {
  running = await startRunning();
});

afterEach(() => {
  expect(running.errors()).toEqual([]);
});

afterAll(() => running.remove());

async function startWith(config: ConfigInput = {}, options?: Parameters<typeof startRunning>[1]): Promise<Running> {
  const other = await startRunning(config, options);
  onTestFinished(() => other.remove());
  return other;
}

function group(to: Running, groupId: string, more: object = {}) {
  return post(`${to.url}/v1/group`, { userId: "u1", groupId, messageId: groupId, ...more }, WITH_KEY);
}

/** What was thrown, as far as it is told to an operator. */
async function failureOf(asked: Promise<unknown>) {
  const thrown = await asked.then(
    () => null,
    (reason: unknown) => reason,
  );
  return thrown instanceof PrickleError ? { code: thrown.code, message: thrown.message, hint: thrown.hint } : thrown;
}

describe("the operators' door", () => {
  let remote: Operations;

  beforeAll(() => {
    remote = connectOperations({ url: running.url, token: running.adminToken });
  });

  it("answers every question as the connector itself does", async () => {
    const own = await startWith();
    await group(own, "acme", { traits: { name: "Acme" } });
    await post(`${own.url}/v1/track`, { userId: "u1", event: "E", context: { groupId: "acme" } }, WITH_KEY);
    await post(`${own.url}/v1/track`, { userId: "u1", messageId: "bad" }, WITH_KEY);
    await own.drained();
    const groups = { groupType: "company", limit: 5, offset: 0 };
    const trends = {
      groupType: "company",
      event: "E",
      interval: "day",
      from: null,
      to: null,
      breakdown: null,
    } as const;
    const ask = ({ status, groupTypes, ...operations }: Operations) =>
      Promise.all([
        status(),
        groupTypes(),
        operations.groups(groups),
        operations.trends(trends),
        operations.listRejections({ limit: 5 }),
        operations.listDeadLetters({}),
      ]);
    const answers = await ask(connectOperations({ url: own.url, token: own.adminToken }));
    expect(answers).toEqual(await ask(own.operations));
    expect(answers).toMatchObject([
      { committed: 2, rejected: 1 },
      [
        { groupType: "company", groups: 1 },
        { groupType: "project", groups: 0 },
      ],
      { groups: [{ groupKey: "acme", properties: { name: "Acme" } }] },
      { series: [{ total: 1 }] },
      [{ recordId: "bad", reason: "missing_event" }],
      [],
    ]);
  });

  it("replays and drops dead letters", async () => {
    const fake = await startFakePosthog();
    onTestFinished(() => fake.close());
    const posthog = {
      type: "posthog",
      host: fake.url,
      token: createSecret("phc_test"),
      claimGroupTypes: false,
    } as const;
    const other = await startWith({ destinations: { posthog } });
    const operations = connectOperations({ url: other.url, token: other.adminToken });
    fake.failNext({ kind: "status", status: 413, body: "no" }, { kind: "status", status: 413, body: "no" });
    await group(other, "acme");
    await other.drained();
    const [letter, ...others] = await operations.listDeadLetters({ destination: "posthog" });
    expect([letter?.body.includes("acme"), others]).toEqual([true, []]);
    expect(await operations.replayDeadLetters({ ids: [letter?.id ?? -1] })).toBe(1);
    await vi.waitUntil(async () => (await operations.listDeadLetters({})).length === 1, PATIENCE);
    expect(await operations.dropDeadLetters({ destination: "nobody" })).toBe(0);
    expect(await operations.dropDeadLetters({})).toBe(1);
    expect(await operations.listDeadLetters({})).toEqual([]);
    expect(fake.arrivals).toEqual([]);
  });

  it("reads a file, telling its progress, then its sum", async () => {
    const own = await startWith();
    const operations = connectOperations({ url: own.url, token: own.adminToken });
    const path = join(own.dataDir, "calls.jsonl");
    const lines = [1, 2, 3].map((n) =>
      JSON.stringify({ type: "group", userId: "u", groupId: `g${n}`, messageId: `m${n}` }),
    );
    await writeFile(path, [...lines, "{}", ""].join("\n"));
    const seen: number[] = [];
    const request = { paths: [path], source: "main", waitForDelivery: true };
    const signal = new AbortController().signal;
    const summary = await operations.backfill(request, ({ records }) => seen.push(records), signal);
    expect(summary).toMatchObject({ records: 4, messages: 3, rejected: 1, complete: true });
    expect(seen.at(-1)).toBe(4);
    expect(await operations.groupTypes()).toMatchObject([{ groupType: "company", groups: 3 }, { groups: 0 }]);
  });

  it.each<[string, (operations: Operations) => Promise<unknown>, string]>([
    ["a type nobody has", ({ groups }) => groups({ groupType: "none", limit: 1, offset: 0 }), "NOT_FOUND"],
    ["a source nobody has", ({ backfill }) => readFile(backfill, "nobody"), "NOT_FOUND"],
    ["a file that is not there", ({ backfill }) => readFile(backfill, "main"), "NOT_FOUND"],
    ["a page without room", ({ groups }) => groups({ groupType: "company", limit: 0, offset: 0 }), "INPUT_INVALID"],
  ])("brings back the error of the far side with code, message and hint: %s", async (_, ask, code) => {
    await group(running, "acme");
    await running.drained();
    const failure = await failureOf(ask(remote));
    expect(failure).toMatchObject({ code });
    expect(failure).toEqual(await failureOf(ask(running.operations)));
  });

  it("refuses questions of another form, telling where they are wrong", async () => {
    const query = { groupType: 5, limit: 1, offset: 0 } as unknown as Parameters<Operations["groups"]>[0];
    expect(await failureOf(remote.groups(query))).toMatchObject({ code: "INPUT_INVALID", message: /groupType/ });
    expect(await failureOf(remote.listRejections({ limit: -1 }))).toMatchObject({ code: "INPUT_INVALID" });
  });

  it.each(["wrong", "", "prefix"])("is shut for a token that is %s", async (kind) => {
    const token = kind === "prefix" ? running.adminToken.slice(0, -1) : kind;
    const stranger = connectOperations({ url: running.url, token });
    const refused = [
      stranger.status(),
      stranger.listRejections({ limit: 1 }),
      stranger.dropDeadLetters({}),
      readFile(stranger.backfill, "main"),
    ];
    const failures = await Promise.all(refused.map(failureOf));
    expect(failures).toMatchObject(refused.map(() => ({ code: "UNAUTHORIZED" })));
    expect(JSON.stringify(failures)).not.toContain(running.adminToken);
  });

  it("is shut without a token, and with one of another scheme", async () => {
    const answers = await Promise.all(
      [{}, { authorization: running.adminToken }, { authorization: `Basic ${running.adminToken}` }].map((headers) =>
        post(`${running.url}/api/status`, "null", headers),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
  });

  it("knows no other method", async () => {
    const authorization = `Bearer ${running.adminToken}`;
    const unknown = await post(`${running.url}/api/shutdown`, "null", { authorization });
    const got = await fetch(`${running.url}/api/status`, { headers: { authorization } });
    expect([unknown.status, got.status]).toEqual([404, 404]);
    expect(JSON.parse(unknown.text)).toMatchObject({
      success: false,
      code: "NOT_FOUND",
      message: /POST \/api\/shutdown/,
    });
  });

  it("is told apart from a server that is gone", async () => {
    const own = await startWith();
    const operations = connectOperations({ url: own.url, token: own.adminToken });
    await own.stop();
    expect(await failureOf(operations.status())).toMatchObject({ code: "SERVER_UNREACHABLE" });
    expect(await failureOf(readFile(operations.backfill, "main"))).toMatchObject({ code: "SERVER_UNREACHABLE" });
  });
});

function readFile(backfill: Operations["backfill"], source: string) {
  const request = { paths: ["/nowhere/calls.jsonl"], source, waitForDelivery: false };
  return backfill(request, () => undefined, new AbortController().signal);
}

describe("health and metrics", () => {
  const getJson = async (path: string) => {
    const response = await fetch(`${running.url}${path}`);
    return [response.status, await response.json()];
  };

  it("tells that the process lives and takes calls, and what doors there are", async () => {
    expect(await getJson("/healthz")).toEqual([200, { status: "ok" }]);
    expect(await getJson("/readyz")).toEqual([200, { status: "ready" }]);
    expect(await getJson("/")).toMatchObject([200, { name: "prickle" }]);
  });

  it("stays ready while a destination takes nothing, and says which and why", async () => {
    const fake = await startFakePosthog();
    onTestFinished(() => fake.close());
    fake.failWhen(() => ({ kind: "status", status: 401 }));
    const token = createSecret("phc_test");
    const other = await startWith({
      destinations: { posthog: { type: "posthog", host: fake.url, token }, engine: { type: "engine" } },
    });
    const readiness = async () => {
      const response = await fetch(`${other.url}/readyz`);
      return { code: response.status, ...((await response.json()) as object) };
    };
    expect(await readiness()).toEqual({ code: 200, status: "ready" });
    await group(other, "acme");
    await vi.waitUntil(
      async () => (await other.operations.status()).health.some(({ state }) => state !== "up"),
      PATIENCE,
    );
    expect(await readiness()).toEqual({
      code: 200,
      status: "ready",
      heldBack: [expect.stringMatching(/^posthog is blocked: .*401/)],
    });
  });

  it("counts what comes in, is refused, comes again, is put on disk and delivered", async () => {
    const own = await startWith();
    const numbers = async () => {
      const page = await (await fetch(`${own.url}/metrics`)).text();
      return [
        'prickle_received_total{source="main"}',
        'prickle_rejected_total{source="main",reason="missing_event"}',
        'prickle_rejected_total{source="main",reason="not_a_call"}',
        'prickle_duplicates_total{source="main"}',
        'prickle_committed_total{source="main"}',
        'prickle_delivered_total{destination="engine"}',
        'prickle_commit_duration_seconds_count{source="main"}',
        'prickle_commit_duration_seconds_bucket{le="+Inf",source="main"}',
        'prickle_outbox_depth{destination="engine",service="live"}',
        'prickle_outbox_oldest_age_seconds{destination="engine",service="live"}',
      ].map((name) => metricOf(page, name));
    };
    expect(await numbers()).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const once = { type: "track", event: "E", userId: "u", messageId: "once" };
    const batch = [once, once, { type: "track", userId: "u" }, 5, 6, { ...once, messageId: "other" }];
    await post(`${own.url}/v1/batch`, { batch }, WITH_KEY);
    await group(own, "acme");
    await own.drained();
    expect(await numbers()).toEqual([7, 1, 2, 1, 3, 3, 2, 2, 0, 0]);
    expect(await own.metric('prickle_delivery_duration_seconds_count{destination="engine"}')).toBeGreaterThan(0);
  });

  it("counts what is tried again, what is given up, and what waits for how long", async () => {
    const fake = await startFakePosthog();
    onTestFinished(() => fake.close());
    const posthog = {
      type: "posthog",
      host: fake.url,
      token: createSecret("phc_test"),
      concurrency: 1,
      claimGroupTypes: false,
    } as const;
    const other = await startWith({ destinations: { posthog } });
    const metric = (name: string, more = "") => other.metric(`${name}{destination="posthog"${more}}`);
    const waiting = (name: string) => metric(name, ',service="live"');
    const all = () =>
      Promise.all([
        metric("prickle_dead_total", ',reason="payload_too_large"'),
        metric("prickle_retried_total"),
        metric("prickle_delivered_total"),
        waiting("prickle_outbox_depth"),
      ]);
    expect(await all()).toEqual([0, 0, 0, 0]);

    fake.failNext({ kind: "status", status: 413, body: "no" });
    await group(other, "poison");
    await other.drained();
    expect(await all()).toEqual([1, 0, 0, 0]);

    fake.failWhen(() => ({ kind: "status", status: 503, retryAfter: "300" }));
    await group(other, "waiting");
    await vi.waitUntil(async () => (await metric("prickle_retried_total")) > 0, PATIENCE);
    expect(await all()).toEqual([1, 1, 0, 1]);
    expect(await waiting("prickle_outbox_oldest_age_seconds")).toBeGreaterThan(0);
  });
});

it("counts an event of a PostHog client that was dropped, though the client is told that all is well", async () => {
  const own = await startWith();
  // Two of the five slots are those the mapping declares.
  const events = ["a", "b", "c", "d"].map((type) => ({
    event: "$groupidentify",
    distinct_id: "x",
    properties: { $group_type: type, $group_key: "k", $group_set: { name: type } },
  }));
  expect((await post(`${own.url}/batch/`, { api_key: "any", batch: events })).status).toBe(200);
  expect(await own.metric('prickle_dead_total{destination="engine",reason="too_many_group_types"}')).toBe(1);
});

describe("closing", () => {
  const body = JSON.stringify({ userId: "u1", groupId: "in flight" });

  /** A call of which the server has the head and a few bytes. */
  async function halfSent() {
    const own = await startWith();
    const socket = connect({ host: "127.0.0.1", port: Number(new URL(own.url).port) });
    onTestFinished(() => void socket.destroy());
    const closed = once(socket, "close");
    let received = "";
    socket.on("data", (data) => {
      received += data.toString();
    });
    // The server says when it has the head.
    socket.write(rawPost("/v1/group", "", [KEY_LINE, `Content-Length: ${body.length}`, "Expect: 100-continue"]));
    await once(socket, "data");
    socket.write(body.slice(0, 10));
    return { own, socket, closed, statuses: () => statusesOf(received) };
  }

  // Patience is shorter than the grace, which would end the wait.
  it("lets a request in flight finish, answered and on disk, and waits no longer", { timeout: 15_000 }, async () => {
    const { own, socket, closed, statuses } = await halfSent();
    const stopped = own.stop(60_000);
    await vi.waitUntil(() => isRefused(own.url), PATIENCE);
    socket.write(body.slice(10));
    await Promise.all([stopped, closed]);
    expect(statuses()).toEqual([100, 200]);
    const again = await startWith({}, { dataDir: own.dataDir });
    expect(await again.operations.status()).toMatchObject({ committed: 1 });
  });

  it("does not wait for ever for a sender that never ends", async () => {
    const { own, closed, statuses } = await halfSent();
    await own.stop(50);
    await closed;
    expect(statuses()).toEqual([100]);
  });

  it("takes no more calls on an open connection, and refuses none for good", async () => {
    const { own, socket, closed, statuses } = await halfSent();
    const stopped = own.stop(60_000);
    await vi.waitUntil(() => isRefused(own.url), PATIENCE);
    const late = rawPost("/v1/group", JSON.stringify({ userId: "u1", groupId: "late" }), [KEY_LINE]);
    socket.write(Buffer.concat([Buffer.from(body.slice(10)), late]));
    await Promise.all([stopped, closed]);
    expect([
      [100, 200],
      [100, 200, 503],
    ]).toContainEqual(statuses());
    const again = await startWith({}, { dataDir: own.dataDir });
    expect(await again.operations.status()).toMatchObject({ committed: 1 });
  });
});

/** Whether no new connection is taken any more. */
function isRefused(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: Number(new URL(url).port) });
    socket.once("error", () => resolve(true));
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
  });
}

describe("a ledger that is full", () => {
  it("answers 503 and when to come again, stores nothing, and takes the same calls once there is room", async () => {
    const full = await startWith({ ledger: { maxDepth: 3 } }, { deliver: false });
    const batch = ["a", "b", "c"].map((groupId) => ({ type: "group", userId: "u1", groupId }));
    expect((await post(`${full.url}/v1/batch`, { batch }, WITH_KEY)).status).toBe(200);
    const refused = [
      await group(full, "d"),
      await post(`${full.url}/v1/batch`, { batch: [{ type: "track", userId: "u1", event: "E" }, 5] }, WITH_KEY),
    ];
    for (const { status, headers, text } of refused) {
      expect(status).toBe(503);
      expect(headers.get("retry-after")).toMatch(/^[1-9][0-9]*$/);
      expect(headers.get("x-ratelimit-reset")).toBe(headers.get("retry-after"));
      expect(JSON.parse(text)).toMatchObject({ success: false, code: "LEDGER_FULL" });
    }
    expect(await full.operations.status()).toMatchObject({ committed: 3, depth: 3, rejected: 0 });
    expect((await fetch(`${full.url}/readyz`)).status).toBe(503);
    await full.stop();

    const emptied = await startWith({ ledger: { maxDepth: 3 } }, { dataDir: full.dataDir });
    await emptied.drained();
    expect((await group(emptied, "d")).status).toBe(200);
    await emptied.drained();
    expect(await emptied.operations.groupTypes()).toMatchObject([{ groupType: "company", groups: 4 }, { groups: 0 }]);
  });
});
