/**
 * The outbox table: runs of messages in the order they were committed, so that a commit writes at the table's end only.
 * Which runs a lane has waiting is kept in memory.
 */

import type { DatabaseSync } from "node:sqlite";

export interface RunHead {
  readonly lane: number;
  /** Seq of its first message. */
  readonly firstSeq: number;
  readonly count: number;
  readonly committedAt: number;
  /** Null: for all destinations; else it was replayed, for this one. */
  readonly onlyDestination: string | null;
}

export interface Run extends RunHead {
  readonly frames: Buffer;
}

export interface Outbox {
  append(run: Run): void;
  /** Takes the last run appended to a lane out of memory again, as its transaction was rolled back. */
  forgetLast(lane: number): void;
  /** Runs of a lane from the one that holds `seq` on. */
  runsFrom(lane: number, seq: number): Iterable<Run>;
  headsFrom(lane: number, seq: number): Iterable<RunHead>;
  /** Nobody needs the runs of a lane that end before `seq` any more: they are removed by a later `sweep`. */
  forgetBefore(lane: number, seq: number): void;
  /** Removes what is not needed, once it is enough to be worth it, or `now`. */
  sweep(now: boolean): void;
  /** Reads from the table which runs there are, in order: at the start, and after a rollback. */
  load(visit: (run: RunHead) => void): void;
}

/** Neighbours in the table are mostly of other lanes: removed together they cost a page for all of them, not one each. */
const SWEEP_RUNS = 256;

export function createOutbox(database: DatabaseSync, lanes: number): Outbox {
  const head = "id, lane, first_seq, count, committed_at, only_destination";
  const insert = database.prepare(
    "INSERT INTO outbox (id, lane, first_seq, count, committed_at, only_destination, frames) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const runOf = database.prepare(`SELECT ${head}, frames FROM outbox WHERE id = ?`);
  const headOfRun = database.prepare(`SELECT ${head} FROM outbox WHERE id = ?`);
  const all = database.prepare(`SELECT ${head} FROM outbox ORDER BY id`);
  const forget = database.prepare("DELETE FROM outbox WHERE id = ?");
  let queues: RunQueue[] = [];
  let nextId = 0;
  /** Ids of rows that nobody needs. */
  let unneeded: number[] = [];

  const queueOf = (lane: number): RunQueue => {
    const queue = queues[lane];
    if (!queue) throw new RangeError(`there is no lane ${lane}`);
    return queue;
  };

  return {
    append({ lane, firstSeq, count, committedAt, onlyDestination, frames }) {
      insert.run(nextId, lane, firstSeq, count, committedAt, onlyDestination, frames);
      queueOf(lane).add(nextId, firstSeq, count);
      nextId += 1;
    },
    forgetLast: (lane) => queueOf(lane).removeLast(),
    *runsFrom(lane, seq) {
      for (const id of queueOf(lane).from(seq)) {
        const row = runOf.get(id);
        if (row) yield { ...headOf(row), frames: framesOf(row) };
      }
    },
    *headsFrom(lane, seq) {
      for (const id of queueOf(lane).from(seq)) {
        const row = headOfRun.get(id);
        if (row) yield headOf(row);
      }
    },
    forgetBefore(lane, seq) {
      unneeded.push(...queueOf(lane).takeBefore(seq));
    },
    sweep(now) {
      if (!now && unneeded.length < SWEEP_RUNS) return;
      for (const id of unneeded.sort((one, other) => one - other)) forget.run(id);
      unneeded = [];
    },
    load(visit) {
      queues = Array.from({ length: lanes }, createRunQueue);
      unneeded = [];
      for (const row of all.iterate()) {
        const run = headOf(row);
        const id = Number(row.id);
        queueOf(run.lane).add(id, run.firstSeq, run.count);
        nextId = Math.max(nextId, id + 1);
        visit(run);
      }
    },
  };
}

/** The runs a lane has waiting, by id and first seq: two numbers a run, however many wait. */
interface RunQueue {
  add(id: number, firstSeq: number, count: number): void;
  removeLast(): void;
  /** Ids from the run that holds `seq` on. */
  from(seq: number): Iterable<number>;
  /** Takes out the runs that end before `seq`. */
  takeBefore(seq: number): readonly number[];
}

function createRunQueue(): RunQueue {
  const ids: number[] = [];
  const firstSeqs: number[] = [];
  /** Seq after the last message. */
  let end = 0;
  /** Of the first that is not gone; what is gone is cut off now and then. */
  let start = 0;

  function indexOf(seq: number): number {
    let low = start;
    let high = ids.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((firstSeqs[middle] ?? 0) <= seq) low = middle;
      else high = middle;
    }
    return low;
  }

  return {
    add(id, firstSeq, count) {
      ids.push(id);
      firstSeqs.push(firstSeq);
      end = firstSeq + count;
    },
    removeLast() {
      ids.pop();
      end = firstSeqs.pop() ?? end;
    },
    *from(seq) {
      for (let index = indexOf(seq); index < ids.length; index++) yield ids[index] ?? -1;
    },
    takeBefore(seq) {
      const before = start;
      while (start < ids.length && (firstSeqs[start + 1] ?? end) <= seq) start += 1;
      const taken = ids.slice(before, start);
      if (start > ids.length / 2) {
        ids.splice(0, start);
        firstSeqs.splice(0, start);
        start = 0;
      }
      return taken;
    },
  };
}

type Row = Record<string, unknown>;

function headOf({ lane, first_seq, count, committed_at, only_destination }: Row): RunHead {
  return {
    lane: Number(lane),
    firstSeq: Number(first_seq),
    count: Number(count),
    committedAt: Number(committed_at),
    onlyDestination: typeof only_destination === "string" ? only_destination : null,
  };
}

function framesOf({ frames }: Row): Buffer {
  if (!(frames instanceof Uint8Array)) throw new TypeError("a run without frames");
  return Buffer.from(frames.buffer, frames.byteOffset, frames.byteLength);
}
