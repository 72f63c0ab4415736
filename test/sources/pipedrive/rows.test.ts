import { afterEach, beforeEach, expect, it } from "vitest";
import { collect } from "../../contracts/row-source.ts";
import { shippedMapping } from "../../core/mapping/shipped.ts";
import { API_TOKEN } from "../../fakes/pipedrive.ts";
import { openRowRig, type RowRig } from "../row-rig.ts";
import { type PipedriveRig, startPipedrive } from "./rig.ts";

const MINUTE_MS = 60_000;
const [OWN_ID, TIER, REGION] = ["a", "b", "c"].map((letter) => letter.repeat(40)) as [string, string, string];
const never = new AbortController().signal;

let pipedrive: PipedriveRig;
let rig: RowRig;

beforeEach(async () => {
  pipedrive = await startPipedrive();
  const options = [
    { id: 1, label: "Gold" },
    { id: 2, label: "Silver" },
  ];
  pipedrive.fake.fields.push(
    { code: "name", name: "Name" },
    { code: OWN_ID, name: "External ID" },
    { code: TIER, name: "Tier", options },
  );
  rig = await openRowRig(shippedMapping("pipedrive"), pipedrive.clock);
});
afterEach(async () => {
  await pipedrive.close();
  await rig.close();
});

function fill(count: number): void {
  for (let id = 1; id <= count; id++) {
    const own = id % 2 === 0 ? { [OWN_ID]: `own-${id}` } : {};
    pipedrive.fake.put(id, { name: `Company ${id}`, custom_fields: { ...own, [TIER]: (id % 2) + 1 } });
    pipedrive.clock.pass(1000);
  }
}

async function complete(options: Parameters<RowRig["sync"]>[1] = {}, rows = pipedrive.open()) {
  const { run, failure } = await rig.sync(rows, options);
  expect(failure).toBeNull();
  return run;
}

async function expectTruth(): Promise<void> {
  const groups = await rig.groups();
  for (const { id, name, custom_fields } of pipedrive.fake.live()) {
    const group = groups.get(String(custom_fields[OWN_ID] ?? `pipedrive:${id}`));
    expect(group).toMatchObject({ name, pipedrive_id: id });
    expect(group?.crm_deleted ?? false).toBe(false);
  }
}

it("brings all organizations, then only those that changed, under names instead of hashes and numbers", async () => {
  const { fake, clock } = pipedrive;
  fill(10);
  expect(await complete()).toMatchObject({ kind: "full", read: 10, changed: 10 });
  await expectTruth();
  expect((await rig.groups()).get("own-2")).toMatchObject({ tier: "Gold" });
  const before = await rig.delivered();
  clock.pass(30 * MINUTE_MS);
  fake.put(4, { custom_fields: { [OWN_ID]: "own-4", [TIER]: 2 } });
  clock.pass(5 * MINUTE_MS);
  expect(await complete()).toMatchObject({ kind: "changes", changed: 1 });
  expect((await rig.groups()).get("own-4")).toMatchObject({ tier: "Silver" });
  expect(await rig.delivered()).toBe(before + 1);
});

it("follows cursors to the end, however the organizations are edited meanwhile", async () => {
  const { fake, clock } = pipedrive;
  fill(20);
  await complete();
  clock.pass(60 * MINUTE_MS);
  for (let id = 1; id <= 20; id++) fake.put(id, { name: `Renamed ${id}` });
  clock.pass(2 * MINUTE_MS);
  let edits = 0;
  fake.onRequest(({ path, query }) => {
    if (path !== "/api/v2/organizations" || !query.has("cursor") || edits > 3) return;
    edits += 1;
    fake.put(edits, { name: `Edited ${edits}` });
  });
  await complete();
  clock.pass(30 * MINUTE_MS);
  await complete();
  expect(edits).toBeGreaterThan(1);
  await expectTruth();
});

it("marks what is not listed any more as deleted, and takes that back", async () => {
  const { fake, clock } = pipedrive;
  fill(6);
  await complete();
  fake.remove(2);
  await complete({ isFull: true });
  expect((await rig.groups()).get("own-2")).toMatchObject({ name: "Company 2", crm_deleted: true });
  fake.put(2, { is_deleted: false });
  clock.pass(MINUTE_MS);
  await complete({ isFull: true });
  expect((await rig.groups()).get("own-2")).toMatchObject({ crm_deleted: false, crm_deleted_at: null });
  await expectTruth();
});

it("marks what is listed as deleted without reading all, where the source says that deleted ones are listed", async () => {
  const { fake, clock } = pipedrive;
  fake.listsDeleted = true;
  fill(6);
  const open = () => pipedrive.open({ listsDeleted: true });
  await complete({}, open());
  clock.pass(30 * MINUTE_MS);
  fake.remove(4);
  const at = clock.now();
  clock.pass(5 * MINUTE_MS);
  expect(await complete({}, open())).toMatchObject({ kind: "changes", removed: 1 });
  const deleted = { crm_deleted: true, crm_deleted_at: new Date(at).toISOString() };
  expect((await rig.groups()).get("own-4")).toMatchObject(deleted);
  await expectTruth();
});

it("reads all again when a field or an option was renamed, since no organization was modified by that", async () => {
  const { fake } = pipedrive;
  fill(4);
  await complete();
  const tier = fake.fields.find(({ code }) => code === TIER);
  if (tier) tier.name = "Level";
  expect(await complete()).toMatchObject({ kind: "full", changed: 4 });
  expect((await rig.groups()).get("own-2")).toMatchObject({ level: "Gold" });
});

it("keeps the hashes of fields that share a name, and says so", async () => {
  pipedrive.fake.fields.push({ code: REGION, name: "Tier" });
  fill(1);
  const rows = pipedrive.open();
  const { warnings } = await rows.begin(never, null);
  expect(warnings).toEqual([expect.stringContaining('named "Tier"')]);
  const [page] = await collect(rows.all(null, never));
  expect(page?.rows[0]?.payload.custom).toEqual({ [TIER]: "Silver" });
});

it("reads fields by version 1 as by version 2, and takes an access token for an API token", async () => {
  fill(4);
  await complete();
  const credentials = { kind: "oauth", accessToken: API_TOKEN } as const;
  expect(await complete({ isFull: true }, pipedrive.open({ fieldsVersion: "v1", credentials }))).toMatchObject({
    changed: 0,
  });
});

it("begins again where a stored cursor is refused, and sends nothing twice", async () => {
  const { fake } = pipedrive;
  fill(12);
  const stop = new AbortController();
  fake.onRequest((_, count) => {
    if (count === 5) stop.abort();
  });
  expect((await rig.sync(pipedrive.open(), {}, stop.signal)).run.outcome).toBe("partial");
  fake.onRequest(() => undefined);
  fake.forgetCursors();
  await complete();
  await expectTruth();
  expect(await rig.delivered()).toBe(12);
});

it("keeps below the burst of the plan, and waits as long as it is told", async () => {
  const { fake, clock } = pipedrive;
  fill(60);
  const startedAt = clock.now();
  await complete({}, pipedrive.open({ requestsPer2Seconds: 5 }));
  expect(clock.now() - startedAt).toBeGreaterThanOrEqual(8000);
  fake.failNext({ status: 429, headers: { "retry-after": "11" } }, "reset", { status: 502, body: "<html>" });
  await complete({ isFull: true });
  expect(clock.pauses).toContain(11_000);
});

it("ends as limited when it is told to wait too long, and as refused without the right token", async () => {
  fill(3);
  pipedrive.fake.failNext({ status: 429, headers: { "retry-after": "3000" } });
  expect((await rig.sync(pipedrive.open())).failure).toMatchObject({ code: "SOURCE_LIMITED", retryAfterMs: 3_000_000 });
  const credentials = { kind: "api_token", token: "wrong" } as const;
  const { failure } = await rig.sync(pipedrive.open({ credentials }));
  expect(failure).toMatchObject({ code: "SOURCE_REFUSED", message: expect.stringContaining("unauthorized access") });
});

it("says of answers of another shape where they are wrong", async () => {
  fill(2);
  for (const body of [
    { data: [{ id: "one" }] },
    { data: 5 },
    [],
    null,
    { data: [], additional_data: { next_cursor: 7 } },
  ]) {
    const rows = pipedrive.open();
    await rows.begin(never, null);
    pipedrive.fake.failNext({ body });
    await expect(collect(rows.all(null, never))).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
  }
});
