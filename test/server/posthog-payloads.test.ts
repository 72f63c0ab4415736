/** Payloads as PostHog's documentation shows them, sent to the engine's door: the groups are those the documentation promises. */

import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Running, startRunning } from "./running.ts";

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
