/** Real clients, unchanged but for their host: Segment's and PostHog's for Node. */

import { Analytics, type GroupParams } from "@segment/analytics-node";
import { PostHog } from "posthog-node";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createSecret } from "../../src/config.ts";
import type { TrendsQuery } from "../../src/core/analytics.ts";
import { DELIVERED } from "../../src/core/destination.ts";
import { PrickleError } from "../../src/core/errors.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { type Running, startRunning, WRITE_KEY } from "./running.ts";
import { startV1Door, V1_PATH } from "./v1-requests.ts";

let posthog: FakePosthog;
let running: Running;

beforeEach(async () => {
  posthog = await startFakePosthog();
  running = await startRunning({
    sources: { main: { type: "segment", writeKeys: [WRITE_KEY] } },
    destinations: {
      engine: { type: "engine" },
      posthog: {
        type: "posthog",
        host: posthog.url,
        token: createSecret("phc_test"),
        messagesPerSecond: null,
        claimGroupTypes: false,
      },
    },
  });
});

afterEach(async () => {
  vi.unstubAllEnvs();
  expect(running.errors()).toEqual([]);
  await running.remove();
  await posthog.close();
});

async function groupsOf(groupType: string) {
  const { groups } = await running.operations.groups({ groupType, limit: 100, offset: 0 });
  return Object.fromEntries(groups.map(({ groupKey, properties }) => [groupKey, properties]));
}

/** How many groups of the type had the event, on all days. */
async function groupsWith(event: string, groupType = "company"): Promise<number> {
  const query: TrendsQuery = { groupType, event, interval: "month", from: null, to: null, breakdown: null };
  const { series } = await running.operations.trends(query);
  return series.reduce((sum, { total }) => sum + total, 0);
}

describe("@segment/analytics-node", () => {
  function openAnalytics(writeKey = WRITE_KEY) {
    const analytics = new Analytics({ writeKey, host: running.url, maxRetries: 0 });
    const errors: unknown[] = [];
    analytics.on("error", (error) => errors.push(error));
    return { analytics, errors };
  }

  it("brings every type of call to the engine and to PostHog", async () => {
    const { analytics, errors } = openAnalytics();
    const context = { groupId: "acme" };
    const startedAt = Date.now() - 60_000;
    const at = (second: number) => ({ timestamp: new Date(startedAt + 1000 * second) });
    const acme = { name: "Acme", seats: 5, "total billed": 830 };
    analytics.group({ userId: "ada", groupId: "acme", traits: acme, ...at(0) });
    analytics.group({ userId: "ada", groupId: "apollo", traits: { groupType: "project", name: "Apollo" }, ...at(1) });
    analytics.track({ userId: "ada", event: "Deployed", properties: { env: "prod" }, context, ...at(2) });
    // Later than the call that says whose id it is, though it comes before it.
    analytics.track({ anonymousId: "anon", event: "Deployed", properties: { project_id: "apollo" }, ...at(4) });
    analytics.identify({ userId: "ada", anonymousId: "anon", traits: { email: "ada@example.com" }, ...at(3) });
    analytics.page({ userId: "ada", name: "Home", properties: { url: "https://example.com/" }, context, ...at(5) });
    analytics.screen({ userId: "ada", name: "Settings", context, ...at(6) });
    analytics.alias({ userId: "ada", previousId: "anon", ...at(7) });
    await analytics.closeAndFlush();
    expect(errors).toEqual([]);
    await running.drained();

    expect(await groupsOf("company")).toEqual({
      acme: { group_key: "acme", name: "Acme", seats: 5, "total billed": 830 },
    });
    expect(await groupsOf("project")).toEqual({ apollo: { group_key: "apollo", name: "Apollo" } });
    expect(await Promise.all(["Deployed", "$pageview", "$screen"].map((event) => groupsWith(event)))).toEqual([
      1, 1, 1,
    ]);
    expect(await groupsWith("Deployed", "project")).toBe(1);
    const events = posthog.events().map(({ event, distinctId, properties }) => [event, distinctId, properties.$groups]);
    expect(new Set(events.filter(([event]) => event !== "$groupidentify"))).toEqual(
      new Set([
        // What ada joined, and anon, who is ada: a call that names a group gains the other.
        ["Deployed", "ada", { company: "acme", project: "apollo" }],
        ["Deployed", "anon", { company: "acme", project: "apollo" }],
        ["$identify", "ada", undefined],
        ["$pageview", "ada", { company: "acme", project: "apollo" }],
        ["$screen", "ada", { company: "acme", project: "apollo" }],
        ["$create_alias", "ada", undefined],
      ]),
    );
    expect(posthog.groups.get("company\0acme")).toEqual({
      group_key: "acme",
      name: "Acme",
      seats: 5,
      "total billed": 830,
    });
  });

  it("loses none of many calls, and delivers once what was sent twice", async () => {
    const { analytics, errors } = openAnalytics();
    const timestamp = new Date("2026-01-31T23:59:59.999Z");
    const calls = Array.from({ length: 500 }, (_, n) => ({
      userId: `user ${n}`,
      groupId: `company ${n}`,
      traits: { seats: n },
      messageId: `id ${n}`,
      timestamp,
    })) satisfies GroupParams[];
    for (const call of [...calls, ...calls.slice(0, 50)]) analytics.group(call);
    await analytics.closeAndFlush();
    expect(errors).toEqual([]);
    await running.drained();
    const groups = await running.operations.groups({ groupType: "company", limit: 1, offset: 0 });
    expect(groups.total).toBe(500);
    expect(await running.operations.status()).toMatchObject({ committed: 500, duplicates: 50 });
    expect(posthog.arrivals).toHaveLength(500);
  });

  it("tells its caller when the write key is wrong", async () => {
    const { analytics, errors } = openAnalytics("wk_wrong");
    analytics.track({ userId: "ada", event: "Lost" });
    await analytics.closeAndFlush();
    expect(errors).toMatchObject([{ code: "delivery_failure" }]);
    expect((await running.operations.status()).committed).toBe(0);
  });
});

describe("posthog-node", () => {
  function openPosthog(options: ConstructorParameters<typeof PostHog>[1] = {}) {
    const requests: { readonly path: string; readonly attempt: string | undefined }[] = [];
    const client = new PostHog("phc_project", {
      host: running.url,
      fetchRetryCount: 0,
      fetch(url, { headers, ...rest }) {
        requests.push({ path: new URL(url).pathname, attempt: headers["PostHog-Attempt"] });
        return fetch(url, { headers, ...rest } as RequestInit);
      },
      ...options,
    });
    const errors: unknown[] = [];
    client.on("error", (error: unknown) => errors.push(error));
    onTestFinished(() => client.shutdown());
    return { client, errors, requests };
  }

  it.each([
    ["v0", "packed", {}],
    ["v0", "plain", { disableCompression: true }],
    ["v1", "packed", {}],
    ["v1", "plain", { disableCompression: true }],
  ])("brings groups and events straight into the engine by protocol %s: %s", async (protocol, _, options) => {
    vi.stubEnv("POSTHOG_CAPTURE_MODE", protocol);
    const { client, errors, requests } = openPosthog(options);
    client.groupIdentify({ groupType: "company", groupKey: "acme", properties: { name: "Acme", seats: 5 } });
    client.groupIdentify({ groupType: "project", groupKey: "apollo", properties: { name: "Apollo" } });
    client.identify({ distinctId: "ada", properties: { email: "ada@example.com" } });
    client.capture({ distinctId: "ada", event: "Deployed", groups: { company: "acme", project: "apollo" } });
    client.capture({ distinctId: "bob", event: "Deployed", groups: { company: "initech" } });
    client.capture({ distinctId: "bob", event: "Alone" });
    client.alias({ distinctId: "ada", alias: "anon" });
    await client.flush();
    expect(errors).toEqual([]);

    expect(await groupsOf("company")).toEqual({ acme: { name: "Acme", seats: 5 } });
    expect(await groupsOf("project")).toEqual({ apollo: { name: "Apollo" } });
    expect(await groupsWith("Deployed")).toBe(2);
    expect(await groupsWith("Deployed", "project")).toBe(1);
    expect(await groupsWith("Alone")).toBe(0);
    expect(new Set(requests.map(({ path }) => path))).toEqual(new Set([protocol === "v1" ? V1_PATH : "/batch/"]));
  });

  it("tells its caller by protocol v1 what was dropped, and keeps the rest", async () => {
    vi.stubEnv("POSTHOG_CAPTURE_MODE", "v1");
    const { client, errors } = openPosthog();
    const long = { groupType: "company", groupKey: "k".repeat(401), properties: { name: "Long" } };
    // The client makes a distinct id of the key: the door says that it is too long, and the engine that the key is.
    client.groupIdentify(long);
    client.groupIdentify({ ...long, distinctId: "ada" });
    client.groupIdentify({ groupType: "company", groupKey: "acme", properties: { name: "Acme" } });
    await client.flush();
    expect(errors).toMatchObject([
      { drops: [{ details: "distinct_id_too_large" }, { details: "invalid_group_key" }], retryExhausted: [] },
    ]);
    expect(await groupsOf("company")).toEqual({ acme: { name: "Acme" } });
  });

  it("sends again by protocol v1 what the engine could not take yet, and that alone", async () => {
    vi.stubEnv("POSTHOG_CAPTURE_MODE", "v1");
    const away = new PrickleError("ENGINE_UNAVAILABLE", "The disk is full.");
    const door = await startV1Door({
      operations: running.operations,
      capture: (bodies) => (door.calls.length === 1 ? Promise.reject(away) : bodies.map(() => DELIVERED)),
    });
    const { client, errors, requests } = openPosthog({ host: door.url, fetchRetryCount: 2, fetchRetryDelay: 1 });
    client.capture({ distinctId: "ada", event: "Kept", groups: { company: "acme" } });
    client.capture({ distinctId: "ada", event: "e".repeat(201) });
    await client.flush();
    expect(requests.map(({ attempt }) => attempt)).toEqual(["1", "2"]);
    expect(door.calls).toMatchObject([[{ event: "Kept" }], [{ event: "Kept", properties: { $lib: "posthog-node" } }]]);
    expect(door.calls[1]?.[0]?.uuid).toBe(door.calls[0]?.[0]?.uuid);
    expect(errors).toMatchObject([{ drops: [{ details: "event_name_too_long" }], retryExhausted: [] }]);
  });

  it("adds to a group what it sends later, and brings many at once", async () => {
    const { client, errors } = openPosthog({ flushAt: 100 });
    for (let seats = 0; seats < 300; seats++) {
      client.groupIdentify({ groupType: "company", groupKey: `company ${seats}`, properties: { seats } });
    }
    await client.flush();
    client.groupIdentify({ groupType: "company", groupKey: "company 7", properties: { name: "Seven" } });
    await client.flush();
    expect(errors).toEqual([]);
    const groups = await running.operations.groups({ groupType: "company", limit: 1, offset: 0, search: "seven" });
    expect(groups.groups[0]?.properties).toEqual({ seats: 7, name: "Seven" });
    expect(await running.operations.groupTypes()).toMatchObject([{ groupType: "company", groups: 300 }, { groups: 0 }]);
  });

  it("tells its caller that a personal key is no project token", async () => {
    const client = new PostHog("phx_personal", { host: running.url, fetchRetryCount: 0 });
    onTestFinished(() => client.shutdown());
    const errors: unknown[] = [];
    client.on("error", (error: unknown) => errors.push(error));
    client.groupIdentify({ groupType: "company", groupKey: "acme", properties: { name: "Acme" } });
    await client.flush().catch((error: unknown) => errors.push(error));
    expect(errors).toContainEqual(expect.objectContaining({ status: 401 }));
    expect(await running.operations.groupTypes()).toMatchObject([{ groups: 0 }, { groups: 0 }]);
  });
});
