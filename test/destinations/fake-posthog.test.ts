/** The fake PostHog is as strict and as careless as the real one: tests of delivery rest on it (facts on PostHog, 2026-11). */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { uuidOf, V1_HEADERS, V1_PATH, v1Batch, v1Event } from "../server/v1-requests.ts";

const NOW = Date.UTC(2026, 10, 23, 12);
const HOUR_MS = 3_600_000;
const MB = 1024 * 1024;
const at = (ms: number) => new Date(ms).toISOString();

let posthog: FakePosthog;

beforeEach(async () => {
  posthog = await startFakePosthog();
  posthog.rules.now = () => NOW;
});
afterEach(() => posthog.close());

interface V0Event {
  readonly [name: string]: unknown;
}

function v0(events: readonly V0Event[], envelope: object = {}) {
  const batch = events.map((fields, number) => ({ event: "E", distinct_id: "ada", uuid: uuidOf(number), ...fields }));
  return fetch(`${posthog.url}/batch/`, {
    method: "POST",
    body: JSON.stringify({ api_key: "phc_1", ...envelope, batch }),
  });
}

function v1(events: readonly object[], envelope: object = {}) {
  const headers = { ...V1_HEADERS, "posthog-request-timestamp": at(NOW) };
  const batch = v1Batch(...events.map((fields, number) => v1Event(number, fields)));
  return fetch(`${posthog.url}${V1_PATH}`, {
    method: "POST",
    headers,
    body: JSON.stringify({ ...batch, ...envelope }),
  });
}

const times = () => posthog.events().map(({ timestamp }) => timestamp);

describe("a time", () => {
  it("by v0 that cannot be read, or is more than 23 hours ahead, is now", async () => {
    const ahead = [23 * HOUR_MS, 23 * HOUR_MS + 1].map((ms) => ({ timestamp: at(NOW + ms) }));
    const fixed = { timestamp: at(NOW + 48 * HOUR_MS), properties: { $ignore_sent_at: true } };
    expect((await v0([{ timestamp: "last week" }, ...ahead, fixed])).status).toBe(200);
    expect(times()).toEqual([NOW, NOW + 23 * HOUR_MS, NOW, NOW].map(at));
  });

  it("by v1 that is more than 23 hours ahead is now, if it may be corrected", async () => {
    const timestamp = at(NOW + 48 * HOUR_MS);
    await v1([{ timestamp }, { timestamp, options: { disable_skew_correction: true } }]);
    expect(times()).toEqual([at(NOW), timestamp]);
  });

  it("older than the project wants loses the event, with a 200", async () => {
    posthog.api.settings = { ...posthog.api.settings, drop_events_older_than_seconds: 3600 };
    const ages = [HOUR_MS, HOUR_MS + 1].map((ms) => ({ timestamp: at(NOW - ms) }));
    expect((await v0(ages)).status).toBe(200);
    expect(times()).toEqual([at(NOW - HOUR_MS)]);
    expect(posthog.arrivals).toHaveLength(2);
  });
});

it.each([
  ["v0", v0],
  ["v1", v1],
] as const)("takes by %s as history what is 48 hours old, and what is younger as live", async (_, send) => {
  const ages = [48 * HOUR_MS, 48 * HOUR_MS - 1].map((ms) => ({ timestamp: at(NOW - ms) }));
  await send(ages, { historical_migration: true });
  expect([...posthog.history]).toEqual([uuidOf(0)]);
  expect([...posthog.refusedAsHistory]).toEqual([uuidOf(1)]);
  expect(posthog.events()).toHaveLength(2);
});

it("answers 413 to what is too large, and resets what is more than twice that", async () => {
  const send = (megabytes: number) =>
    fetch(`${posthog.url}/batch/`, { method: "POST", body: Buffer.alloc(megabytes * MB, " ") });
  expect((await send(21)).status).toBe(413);
  await expect(send(41)).rejects.toThrow();
  expect(posthog.requests).toEqual([]);
});

it("names its errors by v1, but not those that are a proxy's", async () => {
  const tagOf = async (status: number) => {
    posthog.failNext({ kind: "status", status });
    const text = await (await v1([{}])).text();
    return text.startsWith("{") ? JSON.parse(text).error : null;
  };
  const tags: unknown[] = [];
  for (const status of [500, 503, 403, 502, 418]) tags.push(await tagOf(status));
  expect(tags).toEqual(["internal_error", "service_unavailable", null, null, null]);
});

it("lets the private API be asked so often, and says when it may be asked again", async () => {
  let now = NOW;
  posthog.rules.now = () => now;
  posthog.api.scopesOf.set("phx_1", ["project:read"]);
  posthog.api.limits = [
    { ms: 60_000, most: 2 },
    { ms: 3_600_000, most: 3 },
  ];
  const ask = async () => {
    const url = `${posthog.url}/api/projects/${posthog.api.projectId}/`;
    const { status, headers } = await fetch(url, { headers: { authorization: "Bearer phx_1" } });
    return [status, headers.get("retry-after")];
  };
  expect([await ask(), await ask(), await ask()]).toEqual([
    [200, null],
    [200, null],
    [429, "60"],
  ]);
  now += 60_000;
  expect([await ask(), await ask()]).toEqual([
    [200, null],
    [429, "3540"],
  ]);
});

it("sets properties of persons in the order in which they come, and none by what has no person", async () => {
  await v0([
    { properties: { $set: { a: 1 }, $set_once: { b: 1 } } },
    { properties: { $set: { a: 2 }, $set_once: { b: 2 } } },
    { properties: { $set: { a: 3 }, $process_person_profile: false } },
    { event: "$groupidentify", properties: { $group_type: "company", $group_key: "acme", $set: { a: 4 } } },
  ]);
  expect([...posthog.persons]).toEqual([["ada", { a: 2, b: 1 }]]);
});
