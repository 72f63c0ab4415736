import * as fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { collect } from "../../contracts/row-source.ts";
import { shippedMapping } from "../../core/mapping/shipped.ts";
import { attioId } from "../../fakes/attio.ts";
import { openRowRig, type RowRig } from "../row-rig.ts";
import { type AttioRig, startAttio } from "./rig.ts";

const never = new AbortController().signal;

let attio: AttioRig;
let rig: RowRig;

beforeEach(async () => {
  attio = await startAttio();
  rig = await openRowRig(shippedMapping("attio"), attio.clock);
});
afterEach(async () => {
  await attio.close();
  await rig.close();
});

function fill(count: number): void {
  for (let number = 1; number <= count; number++) {
    const own = number % 2 === 0 ? { external_id: `own-${number}` } : {};
    attio.fake.put(number, { name: `Company ${number}`, ...own });
    attio.clock.pass(1000);
  }
}

async function complete(options: Parameters<RowRig["sync"]>[1] = {}, rows = attio.open()) {
  const { run, failure } = await rig.sync(rows, options);
  expect(failure).toBeNull();
  return run;
}

async function expectTruth(): Promise<void> {
  const groups = await rig.groups();
  for (const [number, { name, external_id }] of attio.fake.live()) {
    const group = groups.get(String(external_id ?? `attio:${attioId(number)}`));
    expect(group).toMatchObject({ name, attio_id: attioId(number) });
    expect(group?.crm_deleted ?? false).toBe(false);
  }
}

it("reads all each time, and sends what differs from the time before", async () => {
  const { fake } = attio;
  fill(10);
  expect(await complete()).toMatchObject({ kind: "full", changed: 10 });
  await expectTruth();
  const before = await rig.delivered();
  fake.put(4, { name: "Renamed" });
  fake.put(5, { name: "Company 5" });
  expect(await complete()).toMatchObject({ kind: "full", changed: 1, removed: 0 });
  await expectTruth();
  expect(await rig.delivered()).toBe(before + 1);
});

it("gives of each attribute what holds now, by its type", async () => {
  const { fake } = attio;
  fake.put(1, {
    name: "Old",
    domains: ["acme.com", "acme.de"],
    tier: "Gold",
    stage: "Customer",
    arr: 12.5,
    location: "Bonn",
  });
  fake.put(1, { name: "New" });
  fake.put(2, { name: "Two", domains: ["two.com"] });
  fake.put(2, { tier: null, name: null });
  const rows = attio.open();
  await rows.begin(never, null);
  const [page] = await collect(rows.all(null, never));
  const values = page?.rows.map(({ payload }) => payload.values);
  expect(values).toEqual([
    {
      name: "New",
      domains: ["acme.com", "acme.de"],
      tier: "Gold",
      stage: "Customer",
      arr: 12.5,
      location: { locality: "Bonn", country_code: "DE" },
    },
    { name: null, domains: ["two.com"], tier: null },
  ]);
});

it("marks a record that is gone, and takes that back when it is there again", async () => {
  const { fake } = attio;
  fill(6);
  await complete();
  fake.remove(2);
  expect(await complete()).toMatchObject({ removed: 1 });
  expect((await rig.groups()).get("own-2")).toMatchObject({ name: "Company 2", crm_deleted: true });
  await expectTruth();
  fake.put(2, { name: "Company 2", external_id: "own-2" });
  await complete();
  expect((await rig.groups()).get("own-2")).toMatchObject({ crm_deleted: false, crm_deleted_at: null });
});

for (const { newNumber, isTold } of [
  { newNumber: 9, isTold: true },
  { newNumber: 9, isTold: false },
  { newNumber: null, isTold: true },
  { newNumber: null, isTold: false },
]) {
  const survivor = newNumber === null ? "the record that stays" : "a record with a new id";
  const told = isTold ? "told which it is" : "not told which it is";
  it(`keeps one group true when records are merged into ${survivor}, ${told}`, async () => {
    const { fake, clock } = attio;
    fill(6);
    await complete();
    clock.pass(60_000);
    fake.merge(2, 4, { newNumber, isTold });
    fake.put(newNumber ?? 2, { name: "Both" });
    await complete();
    const groups = await rig.groups();
    expect(groups.get("own-2")).toMatchObject({ name: "Both", attio_id: attioId(newNumber ?? 2) });
    if (!isTold) expect(groups.get("own-4")).toMatchObject({ crm_deleted: true });
    await expectTruth();
  });
}

it("misses no record that stays, whatever is removed and added between pages", async () => {
  const edits = fc.array(
    fc.record({ remove: fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 8 }), add: fc.nat(3) }),
    {
      maxLength: 8,
    },
  );
  await fc.assert(
    fc.asyncProperty(edits, async (steps) => {
      const { fake, clock, open, close } = await startAttio();
      try {
        for (let number = 1; number <= 30; number++) {
          fake.put(number, { name: `Company ${number}` });
          clock.pass(1000);
        }
        const rows = open({ rowsAtOnce: 5 });
        await rows.begin(never, null);
        const seen = new Set<string>();
        let added = 100;
        let step = 0;
        for await (const page of rows.all(null, never)) {
          for (const { id } of page.rows) seen.add(id);
          const { remove, add } = steps[step++] ?? { remove: [], add: 0 };
          for (const number of remove) fake.remove(number);
          for (let one = 0; one < add; one++) fake.put(added++, { name: "new" });
          clock.pass(1000);
        }
        for (const number of fake.live().keys()) if (number <= 30) expect(seen).toContain(attioId(number));
      } finally {
        await close();
      }
    }),
    { numRuns: 40 },
  );
});

it("waits until the date it is told, by Attio's clock", async () => {
  fill(9);
  const { fake, clock } = attio;
  const at = new Date(clock.now() + 9000).toUTCString();
  fake.failNext(null, { status: 429, headers: { "retry-after": at } }, "reset", { status: 503, body: "<html>" });
  await complete();
  expect(clock.pauses).toContain(9000);
  await expectTruth();
});

it("refuses a token that is not taken, and an object that is not there", async () => {
  const begin = (options: Parameters<AttioRig["open"]>[0]) => attio.open(options).begin(never, null);
  await expect(begin({ accessToken: "wrong" })).rejects.toMatchObject({ code: "SOURCE_REFUSED" });
  await expect(begin({ object: "firms" })).rejects.toMatchObject({
    code: "SOURCE_CHANGED",
    message: expect.stringContaining("not_found"),
  });
});

it("says of answers of another shape where they are wrong", async () => {
  fill(2);
  const values = { name: "no list of entries" };
  for (const body of [
    { data: [{ id: { record_id: "1" }, values }] },
    { data: [{ id: "1", values: {} }] },
    {},
    [],
    null,
  ]) {
    const rows = attio.open();
    await rows.begin(never, null);
    attio.fake.failNext({ body });
    await expect(collect(rows.all(null, never))).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
  }
});
