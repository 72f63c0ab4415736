import { afterEach, beforeEach, expect, it } from "vitest";
import { collect } from "../../contracts/row-source.ts";
import { shippedMapping } from "../../core/mapping/shipped.ts";
import { openRowRig, type RowRig } from "../row-rig.ts";
import { idOf, JWT, LOGIN, type SalesforceRig, startSalesforce } from "./rig.ts";

const MINUTE_MS = 60_000;
const never = new AbortController().signal;

let salesforce: SalesforceRig;
let rig: RowRig;

beforeEach(async () => {
  salesforce = await startSalesforce();
  rig = await openRowRig(shippedMapping("salesforce"), salesforce.clock);
});
afterEach(async () => {
  await salesforce.close();
  await rig.close();
});

function fill(count: number): void {
  const { fake, clock } = salesforce;
  for (let number = 1; number <= count; number++) {
    const own = number % 2 === 0 ? { External_Id__c: `own-${number}` } : {};
    fake.put(idOf(number), { Name: `Company ${number}`, Website: `www.company${number}.com`, ...own });
    clock.pass(1000);
  }
}

/** What groups should be: one for each live account, under its own id or Salesforce's. */
async function expectTruth(): Promise<void> {
  const groups = await rig.groups();
  for (const { Id, Name, External_Id__c, AnnualRevenue } of salesforce.fake.live()) {
    const group = groups.get(String(External_Id__c ?? `salesforce:${Id}`));
    expect(group).toMatchObject({ name: Name, salesforce_id: Id, annual_revenue: AnnualRevenue ?? null });
    expect(group?.crm_deleted ?? false).toBe(false);
  }
}

async function complete(options: Parameters<RowRig["sync"]>[1] = {}, rows = salesforce.open()) {
  const { run, failure } = await rig.sync(rows, options);
  expect(failure).toBeNull();
  return run;
}

it("brings all accounts, then only what changed, and sends nothing for what did not", async () => {
  const { fake, clock } = salesforce;
  fill(10);
  expect(await complete()).toMatchObject({ kind: "full", read: 10, changed: 10 });
  await expectTruth();
  const before = await rig.delivered();
  clock.pass(30 * MINUTE_MS);
  fake.put(idOf(4), { AnnualRevenue: 12.5 });
  expect(await complete()).toMatchObject({ kind: "changes", changed: 1 });
  await expectTruth();
  expect(await rig.delivered()).toBe(before + 1);
});

it("finds an edit that was committed ten minutes late", async () => {
  const { fake, clock } = salesforce;
  fill(5);
  await complete();
  clock.pass(60 * MINUTE_MS);
  await complete();
  const late = clock.now();
  clock.pass(5 * MINUTE_MS);
  await complete();
  fake.put(idOf(2), { Name: "Late", SystemModstamp: late });
  clock.pass(MINUTE_MS);
  await complete();
  expect((await rig.groups()).get("own-2")).toMatchObject({ name: "Late" });
});

it("marks a deleted account, takes that back when it is restored, and marks one that is gone for good", async () => {
  const { fake, clock } = salesforce;
  fill(4);
  await complete();
  clock.pass(30 * MINUTE_MS);
  fake.remove(idOf(2));
  const at = clock.now();
  await complete();
  const deleted = { crm_deleted: true, crm_deleted_at: new Date(at).toISOString(), name: "Company 2" };
  expect((await rig.groups()).get("own-2")).toMatchObject(deleted);
  clock.pass(30 * MINUTE_MS);
  fake.restore(idOf(2));
  await complete();
  expect((await rig.groups()).get("own-2")).toMatchObject({ crm_deleted: false, crm_deleted_at: null });
  fake.remove(idOf(4));
  fake.purge(idOf(4));
  expect(await complete({ isFull: true })).toMatchObject({ removed: 1 });
  expect((await rig.groups()).get("own-4")).toMatchObject({ crm_deleted: true });
  await expectTruth();
});

it("leads the names of the loser of a merge to the winner, and deletes neither", async () => {
  const { fake, clock } = salesforce;
  fill(4);
  await complete();
  clock.pass(30 * MINUTE_MS);
  fake.merge(idOf(4), idOf(2));
  fake.put(idOf(2), { Name: "Both" });
  expect(await complete()).toMatchObject({ removed: 1 });
  const groups = await rig.groups();
  expect(groups.get("own-2")).toMatchObject({ name: "Both", salesforce_id: idOf(2) });
  expect(groups.get("own-2")).not.toHaveProperty("crm_deleted");
  await expectTruth();
});

it("gives the same rows by bulk query as by query, so that going from one to the other sends nothing", async () => {
  const { fake } = salesforce;
  fill(7);
  fake.put(idOf(3), {
    AnnualRevenue: 1250000.5,
    IsPartner: true,
    NumberOfEmployees: 0,
    Name: 'Line\n"one", and\r\ntwo',
  });
  await complete();
  const run = await complete({ isFull: true }, salesforce.open({ bulkFrom: 5 }));
  expect(run).toMatchObject({ read: 7, changed: 0 });
  expect(fake.requests.filter((one) => one.startsWith("POST /services/data/v62.0/jobs/query"))).toHaveLength(1);
});

it("goes on in the results of its bulk job after a restart, and makes the job again when it is gone", async () => {
  const { fake } = salesforce;
  fill(12);
  const jobs = () => fake.requests.filter((one) => one.startsWith("POST /services/data")).length;
  async function interrupted(): Promise<void> {
    const stop = new AbortController();
    let results = 0;
    fake.onRequest(({ path }) => {
      results += path.endsWith("/results") ? 1 : 0;
      if (results === 2) stop.abort();
    });
    expect((await rig.sync(salesforce.open({ bulkFrom: 5 }), {}, stop.signal)).run.outcome).toBe("partial");
    fake.onRequest(() => undefined);
  }
  await interrupted();
  await interrupted();
  expect(jobs()).toBe(1);
  fake.forgetJobs();
  await complete({}, salesforce.open({ bulkFrom: 5 }));
  expect(jobs()).toBe(2);
  await expectTruth();
});

it("asks again where the address of the next page is forgotten, from the last row on", async () => {
  const { fake } = salesforce;
  fill(10);
  let forgotten = 0;
  fake.onRequest(({ path }) => {
    if (!/\/query\/01g/.test(path) || forgotten === 2) return;
    forgotten += 1;
    fake.forgetPages();
  });
  expect(await complete()).toMatchObject({ read: 10, changed: 10 });
  expect(forgotten).toBe(2);
  await expectTruth();
});

it("gets another token when one ends in the middle, once", async () => {
  const { fake, clock } = salesforce;
  fill(10);
  let pages = 0;
  fake.onRequest(({ path }) => {
    pages += path.includes("/query/") ? 1 : 0;
    if (pages !== 2 || !path.includes("/query/")) return;
    clock.pass(MINUTE_MS);
    fake.expireTokens();
  });
  await complete();
  expect(fake.grants).toEqual(["client_credentials", "client_credentials"]);
  await expectTruth();
});

it("signs in by JWT bearer, and says when a key, a secret or an audience is not taken", async () => {
  fill(2);
  await complete({}, salesforce.open({ credentials: JWT }));
  const [head] = salesforce.fake.grants;
  expect(head).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
  const credentials = [
    { ...JWT, privateKey: "none" },
    { ...JWT, audience: "https://test.salesforce.com" },
    { kind: "client_credentials", clientId: LOGIN.clientId, clientSecret: "wrong" },
  ] as const;
  for (const one of credentials) {
    const begun = salesforce.open({ credentials: one }).begin(never, null);
    await expect(begun).rejects.toMatchObject({ code: "SOURCE_REFUSED" });
    await expect(begun).rejects.not.toThrow(/wrong|geheim/);
  }
});

it("never sends its token anywhere but to the host of the configuration", async () => {
  fill(1);
  await complete();
  expect(salesforce.fake.requests.every((one) => !one.includes("elsewhere"))).toBe(true);
});

it("refuses a field that is not there with what it may be, and one of several parts", async () => {
  const begin = (fields: readonly string[]) => salesforce.open({ fields }).begin(never, null);
  await expect(begin(["Nmae"])).rejects.toMatchObject({
    code: "SOURCE_CHANGED",
    message: expect.stringContaining('Did you mean "Name"?'),
  });
  await expect(begin(["BillingAddress"])).rejects.toMatchObject({
    code: "SOURCE_CHANGED",
    message: expect.stringContaining("several parts"),
  });
});

it("reads all again, with a warning, when the type of a field changed", async () => {
  const { fake } = salesforce;
  fill(3);
  await complete();
  fake.fields.set("NumberOfEmployees", "string");
  const run = await complete();
  expect(run).toMatchObject({ kind: "full", warnings: [expect.stringContaining("NumberOfEmployees was of type int")] });
});

it("leaves a tenth of the organization's requests to others, and says when it was refused one", async () => {
  const { fake } = salesforce;
  fill(10);
  fake.usage = { used: 88, allowed: 100 };
  const { failure } = await rig.sync(salesforce.open());
  expect(failure).toMatchObject({ code: "SOURCE_LIMITED", retryable: true });
  fake.usage = { used: 100, allowed: 100 };
  expect((await rig.sync(salesforce.open())).failure).toMatchObject({ code: "SOURCE_LIMITED" });
  fake.usage = { used: 1, allowed: 100_000 };
  await complete();
  await expectTruth();
});

it("asks again after 429, 503 and a reset connection, and keeps the pause it is told", async () => {
  const { fake, clock } = salesforce;
  fill(7);
  fake.failNext(null, null, { status: 429, headers: { "retry-after": "7" } }, "reset", { status: 503 }, "cutShort");
  await complete();
  expect(clock.pauses).toContain(7000);
  await expectTruth();
});

it("says of answers of another shape where they are wrong, and keeps nothing of them", async () => {
  const { fake } = salesforce;
  fill(2);
  const hostile = [
    { totalSize: 1, done: true, records: [{ Id: 5, SystemModstamp: "2026-01-01T00:00:00Z" }] },
    { totalSize: 1, done: true, records: [{ Id: idOf(1), SystemModstamp: "yesterday" }] },
    { totalSize: 1, done: false, nextRecordsUrl: "https://evil.example/x", records: [] },
    [],
    null,
  ];
  for (const body of hostile) {
    const rows = salesforce.open();
    await rows.begin(never, null);
    fake.failNext({ body });
    await expect(collect(rows.all(null, never))).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
  }
});
