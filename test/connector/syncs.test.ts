import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createFakeRows, type FakeRows } from "../fakes/rows.ts";
import { createSyncRig, type SyncRig } from "./sync-rig.ts";

const DAY_MS = 86_400_000;
const NOBODY = () => undefined;
const NEVER = new AbortController().signal;

let rows: FakeRows;
let rig: SyncRig;

beforeEach(async () => {
  rows = createFakeRows();
  rig = await createSyncRig(rows);
});
afterEach(() => rig.remove());

const company = (id: string, name: string) => ({ id, properties: { name, external_id: `own-${id}` } });

function fill(count: number): void {
  for (let index = 0; index < count; index++) rows.put(`${100 + index}`, company(`${100 + index}`, `Company ${index}`));
  rows.now += DAY_MS;
}

const sync = (more: object = {}) => rig.operations().sync({ source: "crm", ...more }, NOBODY, NEVER);

async function names(): Promise<Record<string, unknown>> {
  const { groups } = await rig.operations().groups({ groupType: "company", limit: 1000, offset: 0 });
  return Object.fromEntries(groups.map(({ groupKey, properties }) => [groupKey, properties.name]));
}

it("makes groups of rows, keeps the run, and sends of a later one only what changed", async () => {
  fill(20);
  const first = await sync({ waitForDelivery: true });
  expect(first.run).toMatchObject({
    kind: "full",
    read: 20,
    changed: 20,
    messages: 20,
    outcome: "complete",
    reason: null,
  });
  expect(Object.keys(await names())).toHaveLength(20);
  rows.put("105", company("105", "Renamed"));
  rows.now += DAY_MS;
  const second = await sync({ waitForDelivery: true });
  expect(second.run).toMatchObject({ kind: "changes", messages: 1, requests: expect.any(Number) });
  expect((await names())["own-105"]).toBe("Renamed");
  expect(await rig.operations().runs({ limit: 10 })).toEqual([second.run, first.run]);
  expect(await rig.operations().sources()).toMatchObject([
    { name: "crm", type: "hubspot", rows: 20, isRunning: false, schedule: null, lastRun: second.run },
  ]);
});

it("takes rows only for gone that the whole of a run did not see, however long its commits take", async () => {
  fill(30);
  await sync();
  rows.erase("129");
  rows.now += 8 * DAY_MS;
  const { run } = await sync();
  expect(run).toMatchObject({ kind: "full", read: 29, removed: 1 });
  expect((await rig.operations().sources())[0]?.rows).toBe(29);
});

it("says what a sync would come to, and keeps nothing of it", async () => {
  fill(5);
  const { run, dryRun } = await sync({ isDryRun: true });
  expect(run).toMatchObject({ read: 5, messages: 5, outcome: "complete" });
  expect(dryRun).toMatchObject({ billedEvents: 5, identifies: { mapped: 5, sent: 5 } });
  expect(await rig.operations().runs({ limit: 10 })).toEqual([]);
  expect((await sync()).run).toMatchObject({ messages: 5 });
});

it("stops at its limit of events, and goes on with the next run, which counts on", async () => {
  fill(9);
  const { run } = await sync({ maxEvents: 4 });
  expect(run).toMatchObject({ outcome: "partial", messages: 3, reason: expect.stringContaining("limit") });
  expect((await sync()).run).toMatchObject({ outcome: "complete", messages: 9, read: 9, resumed: 1 });
});

it("lets nobody begin a second one of a source, nor ask one that calls by itself or is not there", async () => {
  fill(9);
  const first = sync();
  await expect(sync()).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("already") });
  await first;
  await expect(sync({ source: "nobody" })).rejects.toMatchObject({ code: "NOT_FOUND" });
});

it("is over when prickle is, as partial, and goes on when it is opened again", async () => {
  fill(9);
  let pages = 0;
  rows.onPage = () => {
    pages += 1;
    if (pages === 3) void rig.close();
  };
  await sync().catch(NOBODY);
  rows.onPage = NOBODY;
  await rig.open();
  expect(await rig.operations().runs({ limit: 1 })).toMatchObject([{ outcome: "partial", reason: "it was stopped" }]);
  expect((await sync({ waitForDelivery: true })).run).toMatchObject({ outcome: "complete", read: 9, resumed: 1 });
  expect(Object.keys(await names())).toHaveLength(9);
});

it("keeps of a run that failed why, and what it had warned of", async () => {
  fill(9);
  rows.warnings = ["a property changed its type"];
  let pages = 0;
  rows.onPage = () => {
    pages += 1;
    if (pages === 3) throw new Error("a bug");
  };
  await expect(sync()).rejects.toMatchObject({ code: "INTERNAL" });
  expect(await rig.operations().runs({ source: "crm", limit: 1 })).toMatchObject([
    { outcome: "failed", reason: "a bug", read: 3, warnings: ["a property changed its type"] },
  ]);
});

it("begins when somebody with the operators' token posts, and not without it", async () => {
  fill(3);
  const { url, adminToken } = await rig.serve();
  const post = (token: string, body?: string) =>
    fetch(`${url}/sources/crm/sync`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body }),
    });
  expect((await post("wrong")).status).toBe(401);
  expect((await post(adminToken, '{"isfull":true}')).status).toBe(400);
  const begun = await post(adminToken);
  expect([begun.status, await begun.json()]).toEqual([202, { source: "crm" }]);
  await vi.waitUntil(async () => (await rig.operations().runs({ limit: 1 }))[0]?.outcome === "complete");
  expect((await post(adminToken, '{"isFull":true}')).status).toBe(202);
  await vi.waitUntil(async () => (await rig.operations().runs({ limit: 5 })).length === 2);
});

it("begins by its schedule, at once where a run was missed", async () => {
  fill(3);
  await rig.open({ schedule: { cron: "0 0 1 1 *" } });
  rig.connector().startSchedule();
  await vi.waitUntil(async () => (await rig.operations().runs({ limit: 1 }))[0]?.outcome === "complete");
  const [source] = await rig.operations().sources();
  expect(source?.schedule).toMatchObject({
    cron: "0 0 1 1 *",
    timeZone: "UTC",
    nextRuns: [expect.any(Number), expect.any(Number), expect.any(Number)],
  });
});
