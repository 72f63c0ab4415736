/** Payloads as PostHog's documentation shows them, sent to the engine's door: the groups are those the documentation promises. */

import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Running, startRunning } from "./running.ts";
import { NOW, uuidOf, V1_HEADERS, V1_PATH, v1Batch, v1Event } from "./v1-requests.ts";

let running: Running;

beforeEach(async () => {
  running = await startRunning();
});

afterEach(async () => {
  expect(running.errors()).toEqual([]);
  await running.remove();
});

async function send(path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<unknown> {
  const answer = await fetch(running.url + path, {
    method: "POST",
    body: typeof body === "string" ? body : new Uint8Array(body),
    headers: { "content-type": "application/json", ...headers },
  });
  expect(answer.status).toBe(200);
  return answer.json();
}

async function groupsOf(groupType: string) {
  const { groups } = await running.operations.groups({ groupType, limit: 10, offset: 0 });
  return Object.fromEntries(groups.map(({ groupKey, properties }) => [groupKey, properties]));
}

async function groupsWith(event: string): Promise<number> {
  const query = { groupType: "company", event, interval: "month", from: null, to: null, breakdown: null } as const;
  return (await running.operations.trends(query)).series.reduce((sum, { total }) => sum + total, 0);
}

describe("curl", () => {
  it("makes a group of a $groupidentify, and adds to it", async () => {
    const identify = (set: object) =>
      JSON.stringify({
        api_key: "<ph_project_token>",
        event: "$groupidentify",
        distinct_id: "groups_setup_id",
        properties: { $group_type: "company", $group_key: "company_id_in_your_db", $group_set: set },
      });
    const premium = { name: "PostHog", subscription: "premium", date_joined: "2020-01-23T00:00:00.000Z" };
    expect(await send("/i/v0/e/", identify(premium))).toEqual({ status: "Ok" });
    await send("/i/v0/e/", identify({ subscription: "free" }));
    expect(await groupsOf("company")).toEqual({ company_id_in_your_db: { ...premium, subscription: "free" } });
  });

  it("ties an event to its group, which alone makes no group appear", async () => {
    const groups = { company: "company_id_in_your_db" };
    const event = { api_key: "<ph_project_token>", event: "user_signed_up", distinct_id: "distinct_id_of_the_user" };
    await send("/i/v0/e/", JSON.stringify({ ...event, properties: { $groups: groups } }));
    await send(
      "/i/v0/e/",
      JSON.stringify({ ...event, event: "anonymous", properties: { $process_person_profile: false, $groups: groups } }),
    );
    expect(await groupsWith("user_signed_up")).toBe(1);
    expect(await groupsWith("anonymous")).toBe(0);
    expect(await groupsOf("company")).toEqual({});
  });

  it("takes a batch with times of its own", async () => {
    const batch = ["2026-08-16T09:03:11.913767+00:00", "2026-08-17T09:03:11.913Z"].map((timestamp, at) => ({
      event: "batched_event_name",
      properties: { distinct_id: `user ${at}`, account_type: "pro", $groups: { company: "acme" } },
      timestamp,
    }));
    await send("/batch/", JSON.stringify({ api_key: "<ph_project_token>", historical_migration: false, batch }));
    expect(await groupsWith("batched_event_name")).toBe(1);
  });
});

/** As posthog-python lays its requests. */
describe("Python", () => {
  const own = { $lib: "posthog-python", $lib_version: "6.7.0", $geoip_disable: true, $is_server: true };
  const stamp = (second: number) => `2026-10-01T09:30:0${second}.123456+00:00`;

  it("brings group_identify and capture with groups, packed, with sentAt", async () => {
    const batch = [
      {
        event: "$groupidentify",
        properties: {
          $group_type: "company",
          $group_key: "company_id_in_your_db",
          $group_set: { name: "Awesome Inc.", employees: 11 },
          ...own,
        },
        distinct_id: "$company_company_id_in_your_db",
        timestamp: stamp(0),
        uuid: "0199f3a2-6c40-7b1e-9a51-5d1d6a6f0f11",
      },
      {
        properties: { plan: "pro", $groups: { company: "company_id_in_your_db" }, ...own },
        timestamp: stamp(1),
        distinct_id: "user_distinct_id",
        event: "user_signed_up",
        uuid: "0199f3a2-6c41-7a02-8c0e-2a7f0c9e1b22",
      },
    ];
    const body = JSON.stringify({
      batch,
      sentAt: "2026-10-01T09:30:05+00:00",
      api_key: "phc_project",
      historical_migration: false,
    });
    await send("/batch/", gzipSync(body), { "content-encoding": "gzip", "user-agent": "posthog-python/6.7.0" });
    await send("/batch/", gzipSync(body), { "content-encoding": "gzip" });
    expect(await groupsOf("company")).toEqual({ company_id_in_your_db: { name: "Awesome Inc.", employees: 11 } });
    expect(await groupsWith("user_signed_up")).toBe(1);
  });
});

describe("protocol v1", () => {
  function identify(number: number, properties: object, fields: object = {}) {
    const stated = { $group_type: "company", $group_key: "acme", $group_set: { name: "Acme" }, ...properties };
    return v1Event(number, { event: "$groupidentify", distinct_id: "$company_acme", properties: stated, ...fields });
  }

  async function results(...batch: readonly object[]): Promise<readonly unknown[]> {
    const answer = await send(V1_PATH, JSON.stringify(v1Batch(...batch)), V1_HEADERS);
    const { results: found } = answer as { readonly results: Readonly<Record<string, unknown>> };
    expect(Object.keys(found)).toEqual(batch.map((_, at) => uuidOf(at)));
    return Object.values(found);
  }

  it("brings groups and events, each once, whatever is sent again", async () => {
    const event = v1Event(1, { event: "Report Exported", properties: { $groups: { company: "acme" } } });
    const batch = [identify(0, {}, { options: { disable_skew_correction: true } }), event];
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect(await results(...batch)).toEqual([{ result: "ok" }, { result: "ok" }]);
    }
    expect(await groupsOf("company")).toEqual({ acme: { name: "Acme" } });
    expect(await groupsWith("Report Exported")).toBe(1);
  });

  it("says of each event what the engine did not do with it", async () => {
    const groups = { company: "acme" };
    const types = ["a", "b", "c", "d"].map((type, at) => identify(at, { $group_type: type }));
    const found = await results(
      ...types,
      identify(4, { $group_key: "k".repeat(401) }),
      identify(5, { $group_set: "x" }),
      identify(6, { $group_type: null }),
      identify(7, { $group_key: "of a reserved id" }, { distinct_id: "System" }),
      identify(8, { $group_key: "personless" }, { options: { process_person_profile: "false" } }),
      v1Event(9, { properties: { $groups: groups }, distinct_id: "anonymous" }),
      identify(10, {}),
    );
    expect(found).toEqual([
      // Two of the five types are those that the mapping declares.
      { result: "ok" },
      { result: "ok" },
      { result: "ok" },
      { result: "drop", details: "too_many_group_types" },
      { result: "drop", details: "invalid_group_key" },
      { result: "drop", details: "invalid_group_set" },
      { result: "drop", details: "invalid_group_type" },
      { result: "ok", details: "person_processing_disabled" },
      { result: "ok" },
      { result: "ok", details: "person_processing_disabled" },
      { result: "ok" },
    ]);
    expect(await groupsOf("company")).toEqual({ acme: { name: "Acme" } });
    expect(await groupsWith("E")).toBe(0);
    const counted = (name: string, label: string) => running.metric(`${name}{destination="engine",${label}}`);
    expect(await counted("prickle_noted_total", 'note="person_processing_disabled"')).toBe(2);
    expect(await counted("prickle_dead_total", 'reason="invalid_group_key"')).toBe(1);
  });

  it("takes times of which the engine has none for what they are", async () => {
    const at = (timestamp: string, number: number) =>
      v1Event(number, { timestamp, options: { disable_skew_correction: true } });
    const times = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-12:00", NOW];
    expect(await results(...times.map(at))).toEqual([
      { result: "ok" },
      { result: "ok" },
      { result: "drop", details: "invalid_event_timestamp" },
      { result: "ok" },
    ]);
  });
});
