/** The files of the journal: each of bounded size and at most a day, the oldest deleted when there are too many. */

import { closeSync, openSync, readdirSync, readSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { FILE_HEAD_BYTES, readFileHead, writeFileHead } from "./journal-block.ts";

export interface JournalLimits {
  /** Of all files together; about as many may stand in one that is being written. */
  readonly maxBytes: number;
  readonly maxDays: number;
}

export interface JournalFile {
  readonly path: string;
  readonly begunAt: number;
  /** Is being written by whoever asks. */
  readonly isOpen: boolean;
}

export interface JournalFiles {
  /** Oldest first. */
  list(): readonly JournalFile[];
  sizeBytes(): number;
  /** Throws what the file system throws: what was to be written is lost then, and the next file says so. */
  append(block: Uint8Array, now: number): void;
  /** Deletes what is too old or too much. */
  prune(now: number): void;
  close(): void;
}

interface OpenFile {
  readonly path: string;
  readonly begunAt: number;
  bytes: number;
  /** Null: it is written no more. */
  file: number | null;
}

const DAY_MS = 86_400_000;
const MOST_FILE_BYTES = 4 * 1024 * 1024;
const LEAST_FILES = 32;
/** What a small file takes on disk. */
const PAGE_BYTES = 4_096;
const NAME = /^trace-(\d{12})\.log$/;

export function openJournalFiles(directory: string, { maxBytes, maxDays }: JournalLimits): JournalFiles {
  const files: OpenFile[] = namesIn(directory).flatMap((name) => foundFile(join(directory, name)));
  const fileBytes = Math.min(MOST_FILE_BYTES, maxBytes / LEAST_FILES);
  let lastNumber = Number(NAME.exec(namesIn(directory).at(-1) ?? "")?.[1] ?? 0);
  let goesOn = false;

  const current = () => files.findLast(({ file }) => file !== null);
  const sizeBytes = () => files.reduce((sum, { bytes }) => sum + Math.max(bytes, PAGE_BYTES), 0);

  function begin(now: number): OpenFile {
    end();
    lastNumber += 1;
    const path = join(directory, `trace-${String(lastNumber).padStart(12, "0")}.log`);
    const file = openSync(path, "wx", 0o600);
    const begun = { path, begunAt: now, bytes: FILE_HEAD_BYTES, file };
    files.push(begun);
    writeAll(file, writeFileHead({ begunAt: now, goesOn }), 0);
    goesOn = true;
    prune(now);
    return begun;
  }

  function end(): void {
    const open = current();
    if (!open || open.file === null) return;
    closeSync(open.file);
    open.file = null;
  }

  function prune(now: number): void {
    for (let excess = sizeBytes() - maxBytes; files.length > 1; ) {
      const [oldest, next] = files;
      if (!oldest || !next || oldest.file !== null) return;
      // What is in a file is older than the next one.
      if (excess <= 0 && next.begunAt >= now - maxDays * DAY_MS) return;
      rmSync(oldest.path, { force: true });
      files.shift();
      excess -= Math.max(oldest.bytes, PAGE_BYTES);
    }
  }

  return {
    list: () => files.map(({ path, begunAt, file }) => ({ path, begunAt, isOpen: file !== null })),
    sizeBytes,
    append(block, now) {
      try {
        const open = current();
        const isFull = !open || open.bytes >= fileBytes || now - open.begunAt >= DAY_MS;
        const into = isFull ? begin(now) : open;
        if (into.file !== null) writeAll(into.file, block, into.bytes);
        into.bytes += block.length;
      } catch (thrown) {
        end();
        goesOn = false;
        throw thrown;
      }
    },
    prune,
    close: end,
  };
}

function namesIn(directory: string): readonly string[] {
  return readdirSync(directory)
    .filter((name) => NAME.test(name))
    .sort();
}

/** None: it cannot be read. */
function foundFile(path: string): readonly OpenFile[] {
  const head = Buffer.alloc(FILE_HEAD_BYTES);
  try {
    const file = openSync(path, "r");
    try {
      readSync(file, head, 0, head.length, 0);
    } finally {
      closeSync(file);
    }
    return [{ path, begunAt: readFileHead(head)?.begunAt ?? 0, bytes: statSync(path).size, file: null }];
  } catch {
    return [];
  }
}

function writeAll(file: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, at + done);
}
