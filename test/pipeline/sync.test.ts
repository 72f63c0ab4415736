import { expect, it } from "vitest";
import { PrickleError } from "../../src/core/errors.ts";
import type { Page, PullSource } from "../../src/core/source.ts";
import type { Ingest } from "../../src/pipeline/ingest.ts";
import { sync } from "../../src/pipeline/sync.ts";
import { createManualClock } from "../fakes/clock.ts";

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

/** What reaches the disk, in order; `obstruct` runs before each commit. */
function createDisk(obstruct: (cursor: string) => void | Promise<void> = () => undefined) {
  const cursors: string[] = [];
  let under = 0;
  const ingest: Ingest = {
    prepare: ({ records, rejections }) => ({ received: records.length, records: [], rejections }),
    async commit({ received }, checkpoint) {
      under += 1;
      expect(under).toBe(1);
      try {
        await obstruct(checkpoint?.cursor ?? "");
        cursors.push(checkpoint?.cursor ?? "");
        return { received, messages: 1, duplicates: 0, rejections: [] };
      } finally {
        under -= 1;
      }
    },
  };
  return { ingest, cursors, ledger: { checkpoint: async () => cursors.at(-1) ?? null } };
}

const clock = createManualClock();
const never = new AbortController().signal;

it("commits every page with its cursor, one after the other, and says how far it came", async () => {
  const { ingest, ledger, cursors } = createDisk();
  const seen: number[] = [];
  const result = await sync(
    { source: createSource(3), ingest, ledger, clock },
    ({ records }) => seen.push(records),
    never,
  );
  expect(cursors).toEqual(["1", "2", "3"]);
  expect(seen).toEqual([1, 2, 3]);
  expect(result).toEqual({ progress: { records: 3, bytes: 3, totalBytes: 3 }, resumedAt: 0, complete: true });
});

it("goes on after its checkpoint", async () => {
  const { ingest, ledger, cursors } = createDisk();
  await sync({ source: createSource(2), ingest, ledger, clock }, () => undefined, never);
  const source = createSource(4);
  const { resumedAt } = await sync({ source, ingest, ledger, clock }, () => undefined, never);
  expect(source.read).toEqual(["3", "4"]);
  expect(resumedAt).toBe(2);
  expect(cursors).toEqual(["1", "2", "3", "4"]);
});

it("commits no page after one that failed, so that none is left out on the next run", async () => {
  let broken = true;
  const disk = createDisk((cursor) => {
    if (cursor === "2" && broken) throw new PrickleError("LEDGER_UNAVAILABLE", "gone");
  });
  const run = () => sync({ source: createSource(4), clock, ...disk }, () => undefined, never);
  await expect(run()).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
  expect(disk.cursors).toEqual(["1"]);
  broken = false;
  await run();
  expect(disk.cursors).toEqual(["1", "2", "3", "4"]);
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
  const { ingest, ledger, cursors } = createDisk(() => {
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
  expect(cursors).toEqual(["1", "2"]);
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
