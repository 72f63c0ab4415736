/**
 * The outbox: runs of messages in a log, in the order they were committed, so that a commit is one write and one flush.
 * Which runs a lane has waiting, and where they lie, is kept in memory.
 */

import { SERVICES } from "../../core/service.ts";
import { isFlushFailure } from "./failures.ts";
import { isWhole } from "./frames.ts";
import { createRecordWriter, type FoundRecord, type FrameSource, type LogRecord } from "./log-record.ts";
import type { Stretch } from "./released.ts";
import { createRunQueue, type RunPlace, type RunQueue } from "./run-queue.ts";
import type { Segment, Segments } from "./segments.ts";

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
  /** Where no room was given for them, valid until the next run is asked for. */
  readonly frames: Buffer;
}

/** Gives room for so many bytes. */
export type Room = (bytes: number) => Buffer;

/** Which runs to read, default: all; and where to. */
export interface Reading {
  readonly wants?: (run: RunHead) => boolean;
  readonly room?: Room;
}

export interface Outbox {
  /** Where the log will end once it is flushed. */
  readonly end: number;
  /** Takes part in what the next `flush` writes. */
  add(record: LogRecord, frames: FrameSource): void;
  /** On disk when it returns. Throws what the file system throws. */
  flush(): void;
  /** The transaction is done. */
  settled(): void;
  /** The transaction was rolled back: what was added since the last `settled` is taken back, also from the log. */
  takeBack(): void;
  /** Takes in a record found in the log when it was opened. */
  found(record: FoundRecord): void;
  /** The log was looked through, and ends at `end`. */
  resume(end: number): void;
  /**
   * Runs of a lane from the one that holds `seq` on, each read from the log. Throws where the log cannot be read, or holds no
   * such run.
   */
  runsFrom(lane: number, seq: number, reading?: Reading): Iterable<Run>;
  headsFrom(lane: number, seq: number): Iterable<RunHead>;
  /** Nobody needs the runs of a lane that end before `seq` any more. */
  forgetBefore(lane: number, seq: number): void;
  /** Lets go of segments nobody needs, once `makeDurable` has put on disk why, and which; moves the little that keeps one. */
  sweep(makeDurable: (unneeded: readonly Stretch[]) => void): void;
  sizeBytes(): number;
}

/** When so little of so many segments is needed (one lane waits, all others go on), what is needed moves to the log's end. */
const CROWDED = 8;
const WORTH_KEEPING = 0.25;
const NO_IDS = new Uint8Array(0);

/** `lanes`: of each service. */
export function createOutbox(segments: Segments, lanes: number): Outbox {
  const queues = Array.from({ length: SERVICES.length * lanes }, createRunQueue);
  const writer = createRecordWriter();
  let scratch = Buffer.allocUnsafe(256 * 1024);
  /** Of runs that are for one destination only, by lane and first seq. */
  const only = new Map<string, string>();
  /** Bytes that are needed, by where their segment begins; and runs added since the last `settled`, by lane. */
  const needed = new Map<number, number>();
  let added: number[] = [];
  /** The log may hold bytes up to here. */
  let flushedEnd = 0;
  let settledEnd = 0;

  const queueOf = (lane: number): RunQueue => {
    const queue = queues[lane];
    if (!queue) throw new RangeError(`there is no lane ${lane}`);
    return queue;
  };
  const keyOf = (lane: number, firstSeq: number) => `${lane}/${firstSeq}`;
  const onlyOf = (lane: number, firstSeq: number) => (only.size > 0 ? (only.get(keyOf(lane, firstSeq)) ?? null) : null);

  function count({ at, bytes }: Pick<RunPlace, "at" | "bytes">, sign: 1 | -1): void {
    const start = segments.startOf(at);
    needed.set(start, (needed.get(start) ?? 0) + sign * bytes);
  }

  function place({ runs, notes }: LogRecord, framesAt: number): void {
    let at = framesAt;
    for (const { lane, firstSeq, count: messages, bytes, committedAt } of runs) {
      const replaced = queueOf(lane).add({ firstSeq, count: messages, committedAt, at, bytes });
      if (replaced) count(replaced, -1);
      count({ at, bytes }, 1);
      if (notes.only !== undefined) only.set(keyOf(lane, firstSeq), notes.only);
      at += bytes;
    }
  }

  function headOf(lane: number, { firstSeq, count: messages, committedAt }: RunPlace): RunHead {
    return { lane, firstSeq, count: messages, committedAt, onlyDestination: onlyOf(lane, firstSeq) };
  }

  function scratchOf(bytes: number): Buffer {
    if (scratch.length < bytes) scratch = Buffer.allocUnsafe(2 * bytes);
    return scratch.subarray(0, bytes);
  }

  function framesOf({ at, bytes, count: messages }: RunPlace, room: Room = scratchOf): Buffer {
    const frames = room(bytes);
    if (segments.read(frames, at) < bytes || !isWhole(frames, messages)) {
      throw new RangeError(`the log is damaged at byte ${at}`);
    }
    return frames;
  }

  function* placesFrom(start: number, size: number): Iterable<{ lane: number; place: RunPlace }> {
    for (const [lane, queue] of queues.entries()) {
      for (const one of queue.from(0)) if (one.at >= start && one.at < start + size) yield { lane, place: one };
    }
  }

  function add(record: LogRecord, frames: FrameSource): void {
    const at = settledEnd + writer.length;
    if (writer.length === 0) segments.reach(at);
    place(record, writer.add(record, frames, at));
    for (const run of record.runs) added.push(run.lane);
  }

  function flush(): void {
    if (writer.length === 0) return;
    // Set before: of a write that fails, part may be in the log.
    flushedEnd = settledEnd + writer.length;
    segments.append(writer.bytes(), settledEnd);
  }

  function settled(): void {
    settledEnd += writer.length;
    flushedEnd = settledEnd;
    writer.clear();
    added = [];
  }

  /** Each run to the end of the log. Whoever opens the log finds it twice, and takes the later. */
  function move({ start, size }: { readonly start: number; readonly size: number }): void {
    segments.reach(settledEnd);
    const moved = [...placesFrom(start, size)].map(({ lane, place: old }) => {
      const { onlyDestination } = headOf(lane, old);
      const frames = framesOf(old);
      const notes = onlyDestination === null ? {} : { only: onlyDestination };
      const record = { runs: [{ lane, ...old }], ids: NO_IDS, notes };
      const at = settledEnd + writer.length;
      return { record, framesAt: writer.add(record, { bytes: frames, ranges: [0, frames.length] }, at) };
    });
    flush();
    for (const { record, framesAt } of moved) place(record, framesAt);
    settled();
  }

  /** On a full disk it stays where it is. */
  function tryToMove(segment: Segment): void {
    try {
      move(segment);
    } catch (thrown) {
      takeBack();
      if (isFlushFailure(thrown)) throw thrown;
    }
  }

  function takeBack(): void {
    for (const lane of added.reverse()) {
      const removed = queueOf(lane).removeLast();
      if (!removed) continue;
      count(removed, -1);
      only.delete(keyOf(lane, removed.firstSeq));
    }
    added = [];
    writer.clear();
    if (flushedEnd > settledEnd) segments.cut(settledEnd);
    flushedEnd = settledEnd;
  }

  return {
    get end() {
      return settledEnd + writer.length;
    },
    add,
    flush,
    settled,
    takeBack,
    found: (record) => place(record, record.framesAt),
    resume(end) {
      settledEnd = end;
      flushedEnd = end;
      // A record of a write cut short, past one that never reached the disk, must not become valid behind a later one.
      const last = segments.list().at(-1);
      if (last && last.start + last.size > end) segments.cut(end);
    },
    *runsFrom(lane, seq, { wants, room } = {}) {
      for (const one of queueOf(lane).from(seq)) {
        const head = headOf(lane, one);
        if (!wants || wants(head)) yield { ...head, frames: framesOf(one, room) };
      }
    },
    *headsFrom(lane, seq) {
      for (const one of queueOf(lane).from(seq)) yield headOf(lane, one);
    },
    forgetBefore(lane, seq) {
      for (const gone of queueOf(lane).takeBefore(seq)) {
        count(gone, -1);
        if (only.size > 0) only.delete(keyOf(lane, gone.firstSeq));
      }
    },
    sweep(makeDurable) {
      const all = segments.list();
      const older = all.slice(0, -1);
      const unneeded = older.filter(({ start }) => !needed.get(start));
      if (unneeded.length > 0) makeDurable(unneeded.map(({ start }) => ({ from: start, to: endOf(start, all) })));
      for (const { start } of unneeded) {
        segments.release(start);
        needed.delete(start);
      }
      const size = older.reduce((sum, segment) => sum + segment.size, 0);
      const wanted = [...needed.values()].reduce((sum, bytes) => sum + bytes, 0);
      if (older.length - unneeded.length < CROWDED || wanted > size * WORTH_KEEPING) return;
      const emptiest = older
        .filter((one) => !unneeded.includes(one))
        .sort((one, other) => (needed.get(one.start) ?? 0) - (needed.get(other.start) ?? 0))[0];
      if (emptiest) tryToMove(emptiest);
    },
    sizeBytes: segments.sizeBytes,
  };
}

/** What lies between a segment and the next one was let go of before. */
function endOf(start: number, all: readonly Segment[]): number {
  return all.find((other) => other.start > start)?.start ?? start;
}
