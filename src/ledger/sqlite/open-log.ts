/** Opens the log: takes in what waits, and brings into the tables what they do not know of yet. */

import type { DatabaseSync } from "node:sqlite";
import { PrickleError } from "../../core/errors.ts";
import { createRecordFinder, type FoundRecord, type RecordFinder } from "./log-record.ts";
import type { Outbox } from "./outbox.ts";
import type { Released } from "./released.ts";
import { isWithoutLog, logEndOf, markCurrent } from "./schema.ts";
import type { Segments } from "./segments.ts";

interface LogTables {
  readonly database: DatabaseSync;
  readonly released: Released;
}

/**
 * Gives the records that the tables do not know of, in order; the outbox knows all. Every byte of the log is looked at:
 * what waits may wait since long, and must be what was acknowledged.
 * @throws LEDGER_UNAVAILABLE when the log is damaged before its end, or a part of it is missing.
 */
export function readLog(segments: Segments, outbox: Outbox, { database, released }: LogTables): Iterable<FoundRecord> {
  const known = logEndOf(database);
  const unknown: number[] = [];
  const find = createRecordFinder(segments.read);
  const all = segments.list();
  let end = 0;
  for (const [index, { start, size }] of all.entries()) {
    if (start !== end && !released.has({ from: end, to: start })) throw damaged(end);
    const limit = Math.min(start + size, all[index + 1]?.start ?? Number.POSITIVE_INFINITY);
    for (end = start; ; ) {
      const record = find(end, limit);
      if (!record) break;
      outbox.found(record);
      if (record.at >= known) unknown.push(record.at);
      end = record.end;
    }
  }
  if (end < known) throw damaged(end);
  outbox.resume(end);
  return recordsAt(find, unknown);
}

/** Read once more, one at a time: all of them together can be more than fits into memory. */
function* recordsAt(find: RecordFinder, places: readonly number[]): Iterable<FoundRecord> {
  for (const at of places) {
    const record = find(at, Number.POSITIVE_INFINITY);
    if (!record) throw damaged(at);
    yield record;
  }
}

function damaged(at: number): PrickleError {
  return new PrickleError(
    "LEDGER_UNAVAILABLE",
    `The log of the outbox is damaged at byte ${at}, or a file of it is missing.`,
    {
      hint: "Restore the data directory as a whole from a backup, or move it away.",
    },
  );
}

/** Bytes moved at a time. */
const PART_BYTES = 4 * 1024 * 1024;
const NO_IDS = new Uint8Array(0);

/** Moves what waits in the table of an earlier prickle into the log. Cut short, it begins anew the next time. */
export function moveTableToLog(database: DatabaseSync, outbox: Outbox): void {
  if (!isWithoutLog(database)) return;
  const rows = database.prepare("SELECT * FROM outbox ORDER BY id");
  let bytes = 0;
  for (const { lane, first_seq, count, committed_at, only_destination, frames } of rows.iterate()) {
    if (!(frames instanceof Uint8Array)) continue;
    const run = { lane: Number(lane), count: Number(count), bytes: frames.length };
    const times = { firstSeq: Number(first_seq), committedAt: Number(committed_at) };
    const notes = typeof only_destination === "string" ? { only: only_destination } : {};
    outbox.add(
      { runs: [{ ...run, ...times }], ids: NO_IDS, notes },
      { bytes: Buffer.from(frames), ranges: [0, frames.length] },
    );
    bytes += frames.length;
    if (bytes < PART_BYTES) continue;
    bytes = 0;
    outbox.flush();
    outbox.settled();
  }
  outbox.flush();
  outbox.settled();
  database.exec("DROP TABLE outbox");
  markCurrent(database);
}
