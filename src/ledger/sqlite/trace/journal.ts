/**
 * The journal: what happened to records and messages, for whoever traces one. It is not the truth: it is written after the
 * transaction, flushed by nobody, and what cannot be written is left out. Its end may be missing after a crash.
 */

import { type ByteWriter, createByteWriter } from "../../../core/bytes.ts";
import { BLOCK_HEAD_BYTES, beginBlock, type EntryKind, endBlock, writeEntry } from "./journal-block.ts";
import { type JournalFile, type JournalLimits, openJournalFiles } from "./journal-files.ts";

export interface Journal {
  /** False: nothing is kept. */
  readonly isOn: boolean;
  /** Adds an entry to what the transaction says. */
  add(kind: EntryKind, at: number, write: (out: ByteWriter) => void): void;
  /** The transaction is done. */
  settled(now: number): void;
  /** The transaction was rolled back. */
  takeBack(): void;
  /** The files, with all that happened in them, oldest first. */
  files(): readonly JournalFile[];
  sizeBytes(): number;
  prune(now: number): void;
  /** Says that nothing is missing at the end. */
  close(): void;
}

/** What waits in memory: at most so many bytes, for about so long, as long as something is asked of the ledger. */
const WRITE_BYTES = 64 * 1024;
const WRITE_MS = 1_000;
const MOST_KEPT_BYTES = 4 * 1024 * 1024;

/** `maxBytes` 0: one that is off. */
export function openJournal(directory: string, limits: JournalLimits): Journal {
  if (limits.maxBytes === 0) return OFF;
  const files = openJournalFiles(directory, limits);
  const out = createByteWriter(2 * WRITE_BYTES);
  let settledLength = BLOCK_HEAD_BYTES;
  let writtenAt = 0;
  let lastAt = 0;
  let hasWritten = false;
  beginBlock(out);

  function write(now: number): void {
    if (out.length > BLOCK_HEAD_BYTES) {
      try {
        files.append(endBlock(out), now);
        hasWritten = true;
      } catch {
        // The next file tells that something is missing.
      }
    }
    out.shrink(MOST_KEPT_BYTES);
    beginBlock(out);
    settledLength = out.length;
    writtenAt = now;
  }

  return {
    isOn: true,
    add(kind, at, writeRest) {
      writeEntry(kind, at, out, writeRest);
      lastAt = at;
    },
    settled(now) {
      settledLength = out.length;
      if (out.length >= WRITE_BYTES || Math.abs(now - writtenAt) >= WRITE_MS) write(now);
    },
    takeBack: () => out.cut(settledLength),
    files() {
      out.cut(settledLength);
      write(lastAt);
      return files.list();
    },
    sizeBytes: files.sizeBytes,
    prune: files.prune,
    close() {
      out.cut(settledLength);
      if (hasWritten || out.length > BLOCK_HEAD_BYTES) {
        writeEntry("close", lastAt, out, () => undefined);
        write(lastAt);
      }
      files.close();
    },
  };
}

const OFF: Journal = {
  isOn: false,
  add: () => undefined,
  settled: () => undefined,
  takeBack: () => undefined,
  files: () => [],
  sizeBytes: () => 0,
  prune: () => undefined,
  close: () => undefined,
};
