import { afterEach, beforeEach, expect, it } from "vitest";
import { PrickleError } from "../../src/core/errors.ts";
import type { Operations } from "../../src/core/operations.ts";
import type { Run } from "../../src/core/runs.ts";
import { connectOperations } from "../../src/server/admin-client.ts";
import { createSyncRig, type SyncRig } from "../connector/sync-rig.ts";
import { createFakeRows, type FakeRows } from "../fakes/rows.ts";

let rows: FakeRows;
let rig: SyncRig;
let operations: Operations;

beforeEach(async () => {
  rows = createFakeRows();
  for (let index = 0; index < 9; index++)
    rows.put(`r${index}`, { id: `r${index}`, properties: { external_id: `${index}` } });
  rig = await createSyncRig(rows);
  const { url, adminToken } = await rig.serve();
  operations = connectOperations({ url, token: adminToken });
});
afterEach(() => rig.remove());

const never = new AbortController().signal;

it("tells through the server how far a sync is, and what came of it", async () => {
  const seen: Run[] = [];
  const { run, dryRun } = await operations.sync(
    { source: "crm", waitForDelivery: true },
    (one) => seen.push(one),
    never,
  );
  expect([run.outcome, run.read, run.messages, dryRun]).toEqual(["complete", 9, 9, null]);
  expect(seen.at(-1)).toMatchObject({ read: 9, outcome: null });
  expect(await operations.runs({ limit: 5 })).toEqual([run]);
  expect(await operations.sources()).toMatchObject([{ name: "crm", rows: 9, lastCompleteAt: run.startedAt }]);
});

it("tells through the server what a sync would come to", async () => {
  const { dryRun } = await operations.sync({ source: "crm", isDryRun: true }, () => undefined, never);
  expect(dryRun).toMatchObject({ billedEvents: 9 });
  expect(await operations.runs({ limit: 5 })).toEqual([]);
});

it("throws through the server what the sync throws: code, message and hint", async () => {
  rows.onPage = () => {
    throw new PrickleError("SOURCE_REFUSED", "Acme wants a scope.", { hint: "Add it." });
  };
  const failed = operations.sync({ source: "crm" }, () => undefined, never);
  await expect(failed).rejects.toMatchObject({
    code: "SOURCE_REFUSED",
    message: "Acme wants a scope.",
    hint: "Add it.",
  });
  await expect(operations.sync({ source: "x" }, () => undefined, never)).rejects.toMatchObject({ code: "NOT_FOUND" });
});

it("stops the sync when whoever asked for it hangs up, and the next goes on", async () => {
  const stop = new AbortController();
  let pages = 0;
  rows.onPage = () => {
    pages += 1;
    if (pages === 3) stop.abort();
  };
  const { run } = await operations.sync({ source: "crm" }, () => undefined, stop.signal);
  expect(run).toMatchObject({ outcome: "partial", reason: "it was stopped" });
  rows.onPage = () => undefined;
  await expect.poll(async () => (await operations.sources())[0]?.isRunning).toBe(false);
  const next = await operations.sync({ source: "crm" }, () => undefined, never);
  expect(next.run).toMatchObject({ outcome: "complete" });
  expect((await operations.sources())[0]?.rows).toBe(9);
});
