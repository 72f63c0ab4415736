/**
 * The files of the outbox's log: one stretch of bytes cut into segments, each named by where it begins. Segments nobody
 * needs are written again from their start, for overwriting costs half of what growing a file does.
 */

import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

export interface Segment {
  /** Where it begins in the log. */
  readonly start: number;
  /** Bytes of its file; in one that was used before, those after the log's end are old. */
  readonly size: number;
}

export interface Segments {
  /** In order. None before the first write. */
  list(): readonly Segment[];
  /** Bytes of all files, spare ones included. */
  sizeBytes(): number;
  /** Where the segment that holds a place begins. */
  startOf(at: number): number;
  /** Begins a new segment at the log's end `at` if there is none, or the last is full. Throws what the file system throws. */
  reach(at: number): void;
  /** Writes at the log's end, once reached, and flushes: on disk when it returns. Throws what the file system throws. */
  append(bytes: Uint8Array, at: number): void;
  /** Cuts the last segment off at the log's new end; not flushed. Works where no file may grow. */
  cut(at: number): void;
  /** Fills `into` with the bytes from `at` on, as far as the segment goes; gives how many there were. */
  read(into: Uint8Array, at: number): number;
  /** Lets go of a segment that is not the last. */
  release(start: number): void;
  close(): void;
}

interface OpenSegment {
  readonly start: number;
  readonly path: string;
  readonly file: number;
  size: number;
}

const MOST_SPARE = 4;
const NAME = /^outbox-(\d{16})\.log$/;
const SPARE_NAME = /^outbox-spare-(\d+)\.log$/;

/** A segment of `segmentBytes` or more is full: the next record begins another. */
export function openSegments(directory: string, segmentBytes: number): Segments {
  const names = readdirSync(directory).sort();
  const spare = names.filter((name) => SPARE_NAME.test(name)).map((name) => join(directory, name));
  const segments = names.flatMap((name): OpenSegment[] => {
    const start = NAME.exec(name)?.[1];
    return start === undefined ? [] : [openSegment(join(directory, name), Number(start))];
  });
  /** The highest number a spare file has, or had. */
  let spares = Math.max(0, ...names.map((name) => Number(SPARE_NAME.exec(name)?.[1] ?? 0)));

  function openSegment(path: string, start: number): OpenSegment {
    const file = openSync(path, "r+");
    return { start, path, file, size: fstatSync(file).size };
  }

  function holding(at: number): OpenSegment {
    const found = segments.findLast(({ start }) => start <= at);
    if (!found) throw new RangeError(`the log has nothing at ${at}`);
    return found;
  }

  function begin(start: number): void {
    const path = join(directory, `outbox-${String(start).padStart(16, "0")}.log`);
    const file = fileNamed(path);
    try {
      flushDirectory(directory);
      segments.push({ start, path, file, size: fstatSync(file).size });
    } catch (thrown) {
      // Else its name would be in the way of the next attempt.
      closeSync(file);
      rmSync(path, { force: true });
      throw thrown;
    }
  }

  /** A spare file if there is one, else a new one. */
  function fileNamed(path: string): number {
    const used = spare.at(-1);
    if (used === undefined) return openSync(path, "wx+", 0o600);
    const file = openSync(used, "r+");
    try {
      renameSync(used, path);
    } catch (thrown) {
      closeSync(file);
      throw thrown;
    }
    spare.pop();
    return file;
  }

  function writeAll({ file, start }: OpenSegment, bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(file, bytes, done, bytes.length - done, at - start + done);
    }
  }

  return {
    list: () => segments,
    sizeBytes: () => segments.reduce((sum, { size }) => sum + size, 0) + spare.length * segmentBytes,
    startOf: (at) => holding(at).start,
    reach(at) {
      const last = segments.at(-1);
      if (!last || at - last.start >= segmentBytes) begin(at);
    },
    append(bytes, at) {
      const segment = holding(at);
      writeAll(segment, bytes, at);
      segment.size = Math.max(segment.size, at - segment.start + bytes.length);
      fdatasyncSync(segment.file);
    },
    cut(at) {
      const segment = holding(at);
      segment.size = at - segment.start;
      ftruncateSync(segment.file, segment.size);
    },
    read(into, at) {
      const { file, start } = holding(at);
      return readSync(file, into, 0, into.length, at - start);
    },
    release(start) {
      const index = segments.findIndex((segment) => segment.start === start);
      const [segment] = segments.splice(index, 1);
      if (!segment) return;
      closeSync(segment.file);
      if (spare.length >= MOST_SPARE) {
        rmSync(segment.path, { force: true });
        return;
      }
      const path = join(directory, `outbox-spare-${++spares}.log`);
      renameSync(segment.path, path);
      spare.push(path);
    },
    close() {
      for (const { file } of segments) closeSync(file);
      segments.length = 0;
    },
  };
}

/** A file's name is on disk only once its directory is. */
function flushDirectory(directory: string): void {
  const file = openSync(directory, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
