/** prickle delivers to another prickle as it does to PostHog: by protocol v1, found by itself. */

import { afterEach, beforeEach, expect, it } from "vitest";
import { createSecret } from "../../src/config.ts";
import { post, type Running, startRunning, WITH_KEY, WRITE_KEY } from "./running.ts";

let far: Running;
let near: Running;

beforeEach(async () => {
  far = await startRunning();
  near = await startRunning({
    sources: { main: { type: "segment", writeKeys: [WRITE_KEY] } },
    destinations: {
      posthog: { type: "posthog", host: far.url, token: createSecret("phc_far"), messagesPerSecond: null },
    },
  });
});

afterEach(async () => {
  expect([...near.errors(), ...far.errors()]).toEqual([]);
  await near.remove();
  await far.remove();
});

async function groupsOf(groupType: string) {
  const { groups } = await far.operations.groups({ groupType, limit: 100, offset: 0 });
  return Object.fromEntries(groups.map(({ groupKey, properties }) => [groupKey, properties]));
}

it("brings groups and their events into the other's engine, by protocol v1", async () => {
  const calls = ["acme", "initech"].flatMap((groupId, at) => [
    { type: "group", userId: `u${at}`, groupId, messageId: `group ${at}`, traits: { name: groupId, seats: at } },
    { type: "track", userId: `u${at}`, event: "Deployed", messageId: `track ${at}` },
    { type: "group", userId: `u${at}`, groupId, messageId: `again ${at}`, traits: { seats: at + 5 } },
  ]);
  expect((await post(`${near.url}/v1/batch`, { batch: calls }, WITH_KEY)).status).toBe(200);
  await near.drained();
  const { health } = await near.operations.status();
  expect(health).toMatchObject([{ name: "posthog", protocol: "v1", state: "up" }]);
  expect(await near.operations.listDeadLetters({ limit: 10 })).toEqual([]);
  expect(await groupsOf("company")).toEqual({
    acme: { group_key: "acme", name: "acme", seats: 5 },
    initech: { group_key: "initech", name: "initech", seats: 6 },
  });
  const query = { groupType: "company", event: "Deployed", interval: "month", from: null, to: null, breakdown: null };
  const { series } = await far.operations.trends({ ...query, interval: "month" });
  expect(series.reduce((sum, { total }) => sum + total, 0)).toBe(2);
});
