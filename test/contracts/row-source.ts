/** What every source of rows must give: the sentences of src/core/row-source.ts. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import type { RemovedPage, Row, RowPage, RowSource } from "../../src/core/row-source.ts";

/** A source in front of something that can be edited: rows are numbered, and have a name. Its pages hold a few rows. */
export interface RowSourceRig {
  /** Another one in front of the same: what it is told by a cursor is all it knows. */
  open(): RowSource;
  /** The clock of what it asks, ms UTC. */
  now(): number;
  advance(ms: number): void | Promise<void>;
  put(number: number, name: string): void | Promise<void>;
  remove(number: number): void | Promise<void>;
  idOf(number: number): string;
  nameIn(payload: JsonObject): unknown;
  /** Rows to begin with: at least three pages of them. Default 11. */
  readonly count?: number;
  /** The next answer is none that can be read; null: there is no such thing. */
  readonly breakOnce: (() => void) | null;
  close(): Promise<void>;
}

const FEW = 11;
const HOUR_MS = 3_600_000;

export function describeRowSource(name: string, create: () => Promise<RowSourceRig>): void {
  describe(`${name} as a source of rows`, () => {
    let rig: RowSourceRig;
    let opened: RowSource[];
    let numbers: readonly number[];
    beforeEach(async () => {
      rig = await create();
      opened = [];
      numbers = Array.from({ length: rig.count ?? FEW }, (_, at) => at + 1);
      for (const number of numbers) {
        await rig.put(number, `row ${number}`);
        await rig.advance(1000);
      }
    });
    afterEach(async () => {
      for (const one of opened) await one.close();
      await rig.close();
    });

    async function open(): Promise<RowSource> {
      const rows = rig.open();
      opened.push(rows);
      await rows.begin(new AbortController().signal, null);
      return rows;
    }

    const never = new AbortController().signal;
    const namesOf = (rows: readonly Row[]) => new Map(rows.map(({ id, payload }) => [id, rig.nameIn(payload)]));
    const everyName = (numbers: readonly number[]) => new Map(numbers.map((one) => [rig.idOf(one), `row ${one}`]));
    const rowsOf = (pages: readonly RowPage[]) => pages.flatMap(({ rows }) => rows);

    it("begins with the time of what it asks", async () => {
      const rows = rig.open();
      opened.push(rows);
      const { at } = await rows.begin(never, null);
      expect(Math.abs(at - rig.now())).toBeLessThan(1000);
    });

    it("gives every row, with its id, what it says and when it was read", async () => {
      const begunAt = rig.now();
      const pages = await collect((await open()).all(null, never));
      expect(sorted(namesOf(rowsOf(pages)))).toEqual(sorted(everyName(numbers)));
      expect(pages.length).toBeGreaterThan(2);
      for (const { readAt } of pages) {
        expect(readAt).toBeGreaterThan(begunAt - 1000);
        expect(readAt).toBeLessThanOrEqual(rig.now());
      }
    });

    it("gives the same rows the same again, or their comparison would find changes everywhere", async () => {
      const [first, second] = [await open(), await open()];
      const payloads = async (rows: RowSource) => byId(rowsOf(await collect(rows.all(null, never))));
      expect(await payloads(second)).toEqual(await payloads(first));
    });

    it("goes on at the cursor of any page with the rest", async () => {
      const pages = await collect((await open()).all(null, never));
      for (const [index, { after }] of pages.entries()) {
        const rest = await collect((await open()).all(after, never));
        const all = namesOf([...rowsOf(pages.slice(0, index + 1)), ...rowsOf(rest)]);
        expect(sorted(all)).toEqual(sorted(everyName(numbers)));
      }
    });

    it("misses no row while others are added, edited and removed during the walk", async () => {
      const seen: Row[] = [];
      let step = 0;
      for await (const { rows } of (await open()).all(null, never)) {
        seen.push(...rows);
        step += 1;
        await rig.advance(1000);
        if (step === 1) await rig.remove(1);
        if (step === 2) await rig.put(2, "edited");
        if (step < 4) await rig.put(numbers.length + step, `row ${numbers.length + step}`);
      }
      const found = namesOf(seen);
      for (const number of numbers.slice(2)) expect(found.get(rig.idOf(number))).toBe(`row ${number}`);
    });

    it("stops without error when it is told to, before and between pages", async () => {
      const stop = new AbortController();
      const rows = await open();
      let pages = 0;
      for await (const _ of rows.all(null, stop.signal)) {
        pages += 1;
        stop.abort();
      }
      expect(pages).toBe(1);
      expect(await collect(rows.all(null, stop.signal))).toEqual([]);
      const window = { from: 0, to: rig.now() };
      if (rows.changed) expect(await collect(rows.changed(window, null, stop.signal))).toEqual([]);
      if (rows.removed) expect(await collect(rows.removed(null, null, stop.signal))).toEqual([]);
    });

    it("gives the rows modified within a window, and goes on at any of its cursors", async () => {
      const rows = await open();
      if (!rows.changed) return;
      await rig.advance(HOUR_MS);
      const from = rig.now();
      for (const number of [3, 5, 7, 9, 11]) {
        await rig.put(number, "edited");
        await rig.advance(1000);
      }
      const edited = [3, 5, 7, 9, 11].map((number) => rig.idOf(number)).toSorted();
      const window = { from, to: rig.now() };
      await rig.advance(rows.traits.lagMs);
      const pages = await collect(rows.changed(window, null, never));
      expect([...namesOf(rowsOf(pages)).keys()].toSorted()).toEqual(edited);
      expect(new Set(namesOf(rowsOf(pages)).values())).toEqual(new Set(["edited"]));
      for (const [index, { after }] of pages.entries()) {
        const next = await open();
        const rest = next.changed ? await collect(next.changed(window, after, never)) : [];
        const ids = namesOf([...rowsOf(pages.slice(0, index + 1)), ...rowsOf(rest)]).keys();
        expect([...ids].toSorted()).toEqual(edited);
      }
    });

    it("counts the edges of a window in", async () => {
      const rows = await open();
      if (!rows.changed) return;
      await rig.advance(HOUR_MS);
      const at = rig.now();
      await rig.put(4, "edited");
      await rig.advance(rows.traits.lagMs);
      const pages = await collect(rows.changed({ from: at, to: at }, null, never));
      expect([...namesOf(rowsOf(pages)).keys()]).toEqual([rig.idOf(4)]);
    });

    it("gives all rows of one moment, however many", async () => {
      const rows = await open();
      if (!rows.changed) return;
      await rig.advance(HOUR_MS);
      for (const number of numbers) await rig.put(number, "imported");
      const window = { from: rig.now(), to: rig.now() };
      await rig.advance(rows.traits.lagMs);
      const found = namesOf(rowsOf(await collect(rows.changed(window, null, never))));
      expect([...found.keys()].toSorted()).toEqual(numbers.map((one) => rig.idOf(one)).toSorted());
    });

    it("lists a removed row among the live no more, and among the removed if it lists those", async () => {
      await rig.advance(HOUR_MS);
      const since = rig.now();
      await rig.remove(3);
      await rig.remove(6);
      const rows = await open();
      const live = namesOf(rowsOf(await collect(rows.all(null, never))));
      expect([live.has(rig.idOf(3)), live.has(rig.idOf(6)), live.size]).toEqual([false, false, numbers.length - 2]);
      if (!rows.removed) return;
      const pages = await collect<RemovedPage>(rows.removed(since, null, never));
      const removed = pages.flatMap(({ removals }) => removals.map(({ id }) => id));
      expect(removed.toSorted()).toEqual([rig.idOf(3), rig.idOf(6)].toSorted());
      const [first] = pages;
      const rest = await collect(rows.removed(since, first?.after ?? null, never));
      const together = [first, ...rest].flatMap((page) => page?.removals ?? []).map(({ id }) => id);
      expect(new Set(together)).toEqual(new Set(removed));
    });

    it("says of rows that are not listed whether they are there, if it can be asked", async () => {
      const rows = await open();
      if (!rows.fates) return;
      await rig.advance(1000);
      await rig.remove(6);
      const asked = [5, 6, 9999].map((number) => rig.idOf(number));
      const fates = new Map((await rows.fates(asked, never)).map((fate) => [fate.id, fate]));
      expect(fates.get(rig.idOf(5))).toMatchObject({ state: "live", row: { id: rig.idOf(5) } });
      expect(fates.get(rig.idOf(6))?.state ?? "gone").not.toBe("live");
      expect(fates.get(rig.idOf(9999))?.state ?? "gone").toBe("gone");
    });

    it("throws what may be tried again for an answer that cannot be read, and then goes on", async () => {
      const rows = await open();
      if (!rig.breakOnce) return;
      rig.breakOnce();
      await expect(collect(rows.all(null, never))).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
      expect(namesOf(rowsOf(await collect(rows.all(null, never)))).size).toBe(numbers.length);
    });

    it("counts what it asks", async () => {
      const rows = await open();
      const before = rows.requests();
      await collect(rows.all(null, never));
      expect(rows.requests()).toBeGreaterThan(before);
    });
  });
}

export async function collect<One>(pages: AsyncIterable<One>): Promise<One[]> {
  const all: One[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

function sorted(map: ReadonlyMap<string, unknown>) {
  return [...map].toSorted(([one], [other]) => (one < other ? -1 : 1));
}

function byId(rows: readonly Row[]) {
  return rows.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}
