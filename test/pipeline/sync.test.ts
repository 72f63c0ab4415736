import { expect, it } from "vitest";
import { PrickleError } from "../../src/core/errors.ts";
import type { OutgoingMessage } from "../../src/core/message.ts";
import { readParcel } from "../../src/core/parcel.ts";
import type { Page, PullSource } from "../../src/core/source.ts";
import type { Ingest } from "../../src/pipeline/ingest.ts";
import { sync } from "../../src/pipeline/sync.ts";
import { createManualClock } from "../fakes/clock.ts";
import { uuidOf } from "../fakes/outbox.ts";
import { parcelOf } from "../fakes/parcels.ts";

/** Pages of one record each, named by their cursor. */
function createSource(pages: number): PullSource & { readonly read: string[] } {
  const read: string[] = [];
  return {
    read,
    checkpointName: "numbers",
    async *pages(cursor, signal) {
      for (let number = cursor === null ? 1 : Number(cursor) + 1; number <= pages; number++) {
        if (signal.aborted) return;
        read.push(String(number));
        yield pageOf(number, pages);
      }
    },
  };
}

function pageOf(number: number, pages: number): Page {
  const at = { occurredAt: 0, statedAt: 0, receivedAt: 0 };
  return {
    records: [{ source: "segment", id: String(number), payload: {}, ...at }],
    rejections: [],
    cursor: String(number),
    progress: { records: number, bytes: number, totalBytes: pages },
  };
}

/** Its text is the record's id. */
function messageOf(id: string): OutgoingMessage {
  return { uuid: uuidOf(Number(id)), lane: 0, json: id };
}

/** What reaches the disk, in order, with the cursor of each commit; `obstruct` runs before each commit. */
function createDisk(obstruct: (records: readonly string[]) => void | Promise<void> = () => undefined) {
  const stored: string[] = [];
  const cursors: string[] = [];
  let under = 0;
  const ingest: Ingest = {
    prepare: ({ records, rejections }) => ({
      received: records.length,
      parcels: [parcelOf(records.map(({ id }) => ({ id: uuidOf(Number(id)), messages: [messageOf(id)] })))],
      groups: [],
      rejections,
    }),
    async commit({ received, parcels }, checkpoint) {
      under += 1;
      expect(under).toBe(1);
      try {
        const ids = parcels.flatMap(readParcel).flatMap(({ messages }) => messages.map(({ json }) => json));
        await obstruct(ids);
        stored.push(...ids);
        cursors.push(checkpoint?.cursor ?? "");
        expect(checkpoint?.cursor).toBe(ids.at(-1));
        return { received, messages: received, duplicates: 0, rejections: [], saved: 0, stale: 0, attributed: 0 };
      } finally {
        under -= 1;
      }
    },
  };
  return { ingest, stored, cursors, ledger: { checkpoint: async () => cursors.at(-1) ?? null } };
}

const clock = createManualClock();
const never = new AbortController().signal;

it("commits every page, one commit after the other, and says how far it came", async () => {
  const { ingest, ledger, stored, cursors } = createDisk();
  const seen: number[] = [];
  const result = await sync(
    { source: createSource(3), ingest, ledger, clock },
    ({ records }) => seen.push(records),
    never,
  );
  expect(stored).toEqual(["1", "2", "3"]);
  expect(seen.map(String)).toEqual(cursors);
  const progress = { records: 3, bytes: 3, totalBytes: 3 };
  expect(result).toEqual({ progress, resumedAt: 0, complete: true, reachedLimit: false });
});

it("stops before it makes more messages than it may, and goes on from there the next time", async () => {
  const { ingest, ledger, stored } = createDisk();
  const run = (maxMessages: number) =>
    sync({ source: createSource(7), ingest, ledger, clock, maxMessages }, () => undefined, never);
  expect(await run(3)).toMatchObject({ complete: false, reachedLimit: true });
  expect(stored).toEqual(["1", "2", "3"]);
  expect(await run(3)).toMatchObject({ resumedAt: 3, complete: false, reachedLimit: true });
  expect(await run(3)).toMatchObject({ complete: true, reachedLimit: false });
  expect(stored).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
});

it("commits together what it read while a commit was on its way, and reads only so far ahead", async () => {
  const source = createSource(20);
  const slow = Promise.withResolvers<void>();
  const commits: (readonly string[])[] = [];
  const { ingest, ledger } = createDisk((records) => {
    commits.push(records);
    return commits.length === 1 ? slow.promise : undefined;
  });
  const done = sync({ source, ingest, ledger, clock }, () => undefined, never);
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  expect(source.read).toEqual(["1", "2", "3", "4"]);
  slow.resolve();
  await done;
  expect(commits.slice(0, 2)).toEqual([["1"], ["2", "3", "4"]]);
});

it("goes on after its checkpoint", async () => {
  const { ingest, ledger, stored } = createDisk();
  await sync({ source: createSource(2), ingest, ledger, clock }, () => undefined, never);
  const source = createSource(4);
  const { resumedAt } = await sync({ source, ingest, ledger, clock }, () => undefined, never);
  expect(source.read).toEqual(["3", "4"]);
  expect(resumedAt).toBe(2);
  expect(stored).toEqual(["1", "2", "3", "4"]);
});

it("commits no page after one that failed, so that none is left out on the next run", async () => {
  let broken = true;
  const disk = createDisk((records) => {
    if (records.includes("2") && broken) throw new PrickleError("LEDGER_UNAVAILABLE", "gone");
  });
  const run = () => sync({ source: createSource(4), clock, ...disk }, () => undefined, never);
  await expect(run()).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
  expect(disk.stored).toEqual(["1"]);
  broken = false;
  await run();
  expect(disk.stored).toEqual(["1", "2", "3", "4"]);
});

it("commits what it read before the source failed", async () => {
  const { ingest, ledger, cursors } = createDisk();
  const source: PullSource = {
    checkpointName: "numbers",
    async *pages() {
      yield pageOf(1, 2);
      throw new PrickleError("INPUT_INVALID", "cut short");
    },
  };
  await expect(sync({ source, ingest, ledger, clock }, () => undefined, never)).rejects.toThrow("cut short");
  expect(cursors).toEqual(["1"]);
});

it("waits for room as long as it is asked to, then commits the same page", async () => {
  let room = false;
  let refusals = 0;
  const { ingest, ledger, stored } = createDisk(() => {
    if (room) return;
    refusals += 1;
    throw new PrickleError("LEDGER_FULL", "full", { retryAfterMs: 1000 });
  });
  const done = sync({ source: createSource(2), ingest, ledger, clock }, () => undefined, never);
  for (let turn = 0; turn < 5; turn++) await clock.advance(250);
  expect(refusals).toBe(2);
  room = true;
  await clock.advance(1000);
  await done;
  expect(stored).toEqual(["1", "2"]);
});

it("stops while it waits for room, and says that it is not complete", async () => {
  const { ingest, ledger } = createDisk(() => {
    throw new PrickleError("LEDGER_FULL", "full", { retryAfterMs: 60_000 });
  });
  const stop = new AbortController();
  const done = sync({ source: createSource(2), ingest, ledger, clock }, () => undefined, stop.signal);
  await clock.advance(1);
  stop.abort();
  expect(await done).toMatchObject({ complete: false, progress: { records: 0 } });
});

/** Gives two pages, and no other before it knows whether they are on disk. */
function createWaitingSource() {
  const told: boolean[] = [];
  const source: PullSource = {
    checkpointName: "numbers",
    async *pages() {
      const known: Promise<void>[] = [];
      for (const number of [1, 2]) {
        const { promise, resolve } = Promise.withResolvers<void>();
        known.push(promise);
        const committed = (isOnDisk: boolean) => {
          told.push(isOnDisk);
          resolve();
        };
        yield { ...pageOf(number, 3), committed };
      }
      await Promise.all(known);
      if (told.every(Boolean)) yield pageOf(3, 3);
    },
  };
  return { source, told };
}

it("tells a source when its pages are on disk, without another page from it", async () => {
  const { source, told } = createWaitingSource();
  const disk = createDisk();
  expect(await sync({ source, ...disk, clock }, () => undefined, never)).toMatchObject({ complete: true });
  expect([told, disk.stored]).toEqual([
    [true, true],
    ["1", "2", "3"],
  ]);
});

it("tells a source that its pages will not be on disk, when a commit fails or it is stopped", async () => {
  const failing = createWaitingSource();
  const broken = createDisk(() => {
    throw new PrickleError("LEDGER_UNAVAILABLE", "gone");
  });
  const failed = sync({ source: failing.source, ...broken, clock }, () => undefined, never);
  await expect(failed).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
  expect(failing.told).toEqual([false, false]);

  const stopping = createWaitingSource();
  const stop = new AbortController();
  const disk = createDisk(() => stop.abort());
  await sync({ source: stopping.source, ...disk, clock }, () => undefined, stop.signal);
  expect(stopping.told).toEqual([true, false]);
});
