/** The files of the log, on a disk that refuses one thing or another for a moment. */

import fs from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSegments, type Segments } from "../../src/ledger/sqlite/segments.ts";

const SEGMENT_BYTES = 10;
const REAL = { openSync: fs.openSync, renameSync: fs.renameSync };

let directory: string;
let segments: Segments;
/** Where the log ends. */
let end: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-segments-"));
  segments = openSegments(directory, SEGMENT_BYTES);
  end = 0;
});
afterEach(async () => {
  replace(REAL);
  segments.close();
  await rm(directory, { recursive: true, force: true });
});

function replace(calls: Partial<typeof REAL>): void {
  Object.assign(fs, calls);
  syncBuiltinESMExports();
}

/** Fills a segment with what tells it from the others. */
function write(): void {
  segments.reach(end);
  segments.append(Buffer.alloc(SEGMENT_BYTES, String(end)), end);
  end += SEGMENT_BYTES;
}

function releaseFirst(): void {
  segments.release(segments.list()[0]?.start ?? -1);
}

function readBack(): readonly boolean[] {
  return segments.list().map(({ start }) => {
    const bytes = Buffer.alloc(SEGMENT_BYTES);
    return segments.read(bytes, start) === SEGMENT_BYTES && bytes.equals(Buffer.alloc(SEGMENT_BYTES, String(start)));
  });
}

describe.each([
  ["new", 0],
  ["used before", 1],
])("a segment in a file that is %s", (_, spares) => {
  // More calls than beginning a segment makes: in the last rounds nothing fails.
  it.each([0, 1, 2, 3])("is begun by the next attempt when call %i for a file was refused", (refused) => {
    for (let number = 0; number <= spares; number++) write();
    for (let number = 0; number < spares; number++) releaseFirst();
    let calls = 0;
    const orRefuse = <Call extends (...asked: never[]) => unknown>(call: Call) =>
      ((...asked: Parameters<Call>) => {
        if (calls++ === refused) throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
        return call(...asked);
      }) as Call;
    replace({ openSync: orRefuse(fs.openSync), renameSync: orRefuse(fs.renameSync) });
    try {
      segments.reach(end);
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "EMFILE" });
    }
    replace(REAL);
    write();
    write();
    expect(readBack()).toEqual([true, true, true]);
    segments.close();
    segments = openSegments(directory, SEGMENT_BYTES);
    expect(readBack()).toEqual([true, true, true]);
  });
});

it("never gives a file that is needed no more the name of another one, over a restart", () => {
  for (let number = 0; number < 6; number++) write();
  for (let number = 0; number < 3; number++) releaseFirst();
  write();
  write();
  releaseFirst();
  segments.close();
  // Two spare files are left, the first and the fourth.
  segments = openSegments(directory, SEGMENT_BYTES);
  for (let number = 0; number < 2; number++) releaseFirst();
  for (let number = 0; number < 5; number++) write();
  expect(readBack()).toEqual(Array.from({ length: 7 }, () => true));
});
