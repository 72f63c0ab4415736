/**
 * A record of the outbox's log: what one transaction adds to the ledger, in one piece. It is the commit: what is in a
 * whole record on disk has happened, whether or not the tables beside the log know of it yet.
 *
 * record: head · run… · JSON of the notes · 16 bytes for each id · frames, run by run
 * head:   u32 mark · u32 bytes of the record · u32 CRC-32 of what follows · u32 runs · u32 bytes of the notes · u32 ids · f64 position
 * run:    u32 lane · u32 messages · u32 bytes of its frames · f64 first seq · f64 committed at
 */

import { crc32 } from "node:zlib";
import type { Change } from "../../core/attribution/knowledge.ts";
import type { RememberedGroup } from "../../core/group-memory.ts";
import { ID_BYTES } from "../../core/parcel.ts";
import type { Rejection } from "../../core/record.ts";
import type { KnownRow } from "../../core/rows.ts";

export interface LogRecord {
  /** In the order of their frames. */
  readonly runs: readonly LoggedRun[];
  /** Of the records whose messages these are, end to end. */
  readonly ids: Uint8Array;
  readonly notes: LogNotes;
}

export interface LoggedRun {
  readonly lane: number;
  readonly count: number;
  /** Of its frames. */
  readonly bytes: number;
  readonly firstSeq: number;
  readonly committedAt: number;
}

/** What a transaction changes beside the outbox. */
export interface LogNotes {
  /** The runs are for this destination only. */
  readonly only?: string;
  readonly committed?: number;
  readonly duplicates?: number;
  /** See AttributionTally. */
  readonly saved?: number;
  readonly stale?: number;
  readonly attributed?: number;
  readonly rejections?: readonly Rejection[];
  readonly groups?: readonly RememberedGroup[];
  readonly rows?: readonly (readonly [source: string, rows: readonly KnownRow[]])[];
  /** To what is known of people, groups and keys. */
  readonly changes?: readonly Change[];
  readonly checkpoints?: readonly (readonly [name: string, cursor: string])[];
  /** Ids of dead letters that went back into the outbox with this. */
  readonly replayed?: readonly number[];
}

/** One that was found in the log. */
export interface FoundRecord extends LogRecord {
  readonly at: number;
  /** Where the frames of its first run begin, and the record after it. */
  readonly framesAt: number;
  readonly end: number;
}

const MARK = 0x314b5250;
const HEAD_BYTES = 32;
const CRC_BYTES = 4;
const CHECKED_FROM = 12;
const RUN_BYTES = 28;
const FIRST_BYTES = 64 * 1024;
const MOST_KEPT_BYTES = 16 * 1024 * 1024;

/** Frames to be copied: `ranges` are pairs of where each begins and ends in `bytes`, in the order of the runs. */
export interface FrameSource {
  readonly bytes: Buffer;
  readonly ranges: readonly number[];
}

/** Lays records end to end, in a buffer that grows to what is needed; what was unusually much is let go of. */
export interface RecordWriter {
  /** Bytes laid since `clear`. */
  readonly length: number;
  /** Lays a record that will stand at `at` in the log; gives where the frames of its first run will. */
  add(record: LogRecord, frames: FrameSource, at: number): number;
  /** Valid until more is laid. */
  bytes(): Uint8Array;
  clear(): void;
}

export function createRecordWriter(): RecordWriter {
  let buffer = Buffer.allocUnsafe(FIRST_BYTES);
  let length = 0;

  function need(bytes: number): void {
    if (length + bytes <= buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + bytes));
    buffer.copy(grown, 0, 0, length);
    buffer = grown;
  }

  return {
    get length() {
      return length;
    },
    add({ runs, ids, notes }, frames, at) {
      const text = Buffer.from(JSON.stringify(notes));
      const frameBytes = runs.reduce((sum, { bytes }) => sum + bytes, 0);
      const headBytes = HEAD_BYTES + runs.length * RUN_BYTES + text.length + ids.length;
      need(headBytes + frameBytes);
      const start = length;
      let to = buffer.writeUInt32LE(MARK, start);
      to = buffer.writeUInt32LE(headBytes + frameBytes, to) + CRC_BYTES;
      to = buffer.writeUInt32LE(runs.length, to);
      to = buffer.writeUInt32LE(text.length, to);
      to = buffer.writeUInt32LE(ids.length / ID_BYTES, to);
      to = buffer.writeDoubleLE(at, to);
      for (const run of runs) to = putRun(buffer, run, to);
      buffer.set(text, to);
      buffer.set(ids, to + text.length);
      to = start + headBytes;
      const { bytes, ranges } = frames;
      for (let index = 0; index < ranges.length; index += 2) {
        to += bytes.copy(buffer, to, ranges[index], ranges[index + 1]);
      }
      length = to;
      buffer.writeUInt32LE(crc32(buffer.subarray(start + CHECKED_FROM, to)), start + CHECKED_FROM - CRC_BYTES);
      return at + headBytes;
    },
    bytes: () => buffer.subarray(0, length),
    clear() {
      length = 0;
      if (buffer.length > MOST_KEPT_BYTES) buffer = Buffer.allocUnsafe(FIRST_BYTES);
    },
  };
}

function putRun(buffer: Buffer, { lane, count, bytes, firstSeq, committedAt }: LoggedRun, at: number): number {
  let to = buffer.writeUInt32LE(lane, at);
  to = buffer.writeUInt32LE(count, to);
  to = buffer.writeUInt32LE(bytes, to);
  to = buffer.writeDoubleLE(firstSeq, to);
  return buffer.writeDoubleLE(committedAt, to);
}

/** Fills `into` from a place of the log; gives how many bytes there were. */
export type ReadLog = (into: Uint8Array, at: number) => number;

export type RecordFinder = (at: number, limit: number) => FoundRecord | null;

/**
 * Finds the record that stands at `at`, and ends at `limit` or before; null where none does that is what was written: the
 * log ends there, what follows is of an earlier use of the file, or it is damaged. Its ids are valid until the next is
 * looked for: a long log read into new memory, record by record, would leave the process that much larger for good.
 */
export function createRecordFinder(read: ReadLog): RecordFinder {
  const head = Buffer.alloc(HEAD_BYTES);
  let memory = Buffer.allocUnsafe(FIRST_BYTES);

  return (at, limit) => {
    if (read(head, at) < HEAD_BYTES || head.readUInt32LE(0) !== MARK || head.readDoubleLE(24) !== at) return null;
    const bytes = head.readUInt32LE(4);
    const [runs, notes, ids] = [head.readUInt32LE(12), head.readUInt32LE(16), head.readUInt32LE(20)];
    const bodyBytes = runs * RUN_BYTES + notes + ids * ID_BYTES;
    if (bytes < HEAD_BYTES + bodyBytes || at + bytes > limit) return null;
    if (memory.length < bytes) memory = Buffer.allocUnsafe(2 * bytes);
    const body = memory.subarray(0, bytes - HEAD_BYTES);
    if (read(body, at + HEAD_BYTES) < body.length) return null;
    if (crc32(body, crc32(head.subarray(CHECKED_FROM))) !== head.readUInt32LE(8)) return null;
    const notesAt = runs * RUN_BYTES;
    return {
      at,
      framesAt: at + HEAD_BYTES + bodyBytes,
      end: at + bytes,
      runs: Array.from({ length: runs }, (_, index) => runAt(body, index * RUN_BYTES)),
      notes: JSON.parse(body.toString("utf8", notesAt, notesAt + notes)),
      ids: body.subarray(notesAt + notes, bodyBytes),
    };
  };
}

function runAt(body: Buffer, at: number): LoggedRun {
  return {
    lane: body.readUInt32LE(at),
    count: body.readUInt32LE(at + 4),
    bytes: body.readUInt32LE(at + 8),
    firstSeq: body.readDoubleLE(at + 12),
    committedAt: body.readDoubleLE(at + 20),
  };
}
