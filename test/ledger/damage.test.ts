/** A log with a byte that is not what was written gives nobody what was not sent to him, and says so. */

import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createStoreRig, logFiles, type StoreRig, tablesOf } from "./store-rig.ts";

const LANES = 4;
const FRAME_HEAD_BYTES = 20;
let rig: StoreRig;

beforeEach(() => {
  rig = createStoreRig({ lanes: LANES, segmentBytes: 1_000 });
});
afterEach(() => rig.remove());

/** A message for each lane in turn, in many files; gives the text of each. */
function fill(count = 20): readonly string[] {
  const texts = Array.from({ length: count }, (_, number) => `message ${number} ${"x".repeat(100)}`);
  for (const [number, text] of texts.entries()) rig.commit([[number % LANES, text]]);
  return texts;
}

/** In the first file that holds `text`, at its frame. */
function damage(text: string, change: (bytes: Buffer, frameAt: number) => void): void {
  const [path = ""] = logFiles(rig).filter((file) => readFileSync(file).includes(text));
  const bytes = readFileSync(path);
  change(bytes, bytes.indexOf(text) - FRAME_HEAD_BYTES);
  writeFileSync(path, bytes);
}

const flip =
  (bit: number, offset = 0) =>
  (bytes: Buffer, frameAt: number) => {
    bytes.writeUInt8(bytes.readUInt8(frameAt + offset) ^ bit, frameAt + offset);
  };

describe("a log is refused when it is opened", () => {
  const file = (index: number) => logFiles(rig).at(index) ?? "";

  it.each<[string, () => void]>([
    ["a bit of a body that waits is another", () => damage("message 7 ", flip(1, FRAME_HEAD_BYTES + 3))],
    ["a bit of its length is another", () => damage("message 7 ", flip(1))],
    ["the highest bit of its length is set", () => damage("message 7 ", flip(0x80, 3))],
    ["its last record is cut short", () => truncateSync(file(-1), statSync(file(-1)).size - 10)],
    ["a record before its last file is cut short", () => truncateSync(file(1), statSync(file(1)).size - 10)],
    ["its first file is missing", () => rmSync(file(0))],
    ["one of its files is missing", () => rmSync(file(1))],
    ["its last file is missing", () => rmSync(file(-1))],
  ])("when %s", (_, meanwhile) => {
    fill();
    expect(logFiles(rig).length).toBeGreaterThan(3);
    expect(() => rig.reopen(meanwhile)).toThrow(/log of the outbox is damaged at byte \d+/);
  });

  it("but not when what is missing was let go of, wherever it lay", () => {
    const texts = fill(60);
    const before = logFiles(rig).length;
    const claimed = rig.ask("claim", {
      destination: "a",
      service: "live",
      maxMessages: 1000,
      maxBytes: 1e6,
      leaseMs: 1000,
    });
    // The first and a later message of lane 0 wait: what lies before, between and after them goes.
    const all = claimed?.slots.flatMap(({ lane, firstSeq, count }) =>
      Array.from({ length: count }, (_, index) => ({ lane, seq: firstSeq + index })),
    );
    const exceptions = (all ?? []).flatMap(({ lane, seq }, index) =>
      lane === 0 && seq >= 6 ? [[index, { kind: "retry", reason: "busy", dueAt: 0 }] as const] : [],
    );
    rig.ask("settle", { claimId: claimed?.id ?? 0, exceptions, memory: null });
    rig.commit([[1, "later"]]);
    const files = logFiles(rig).length;
    expect(files).toBeLessThan(before);
    rig.reopen();
    expect(logFiles(rig)).toHaveLength(files);
    expect(rig.take().toSorted()).toEqual([...texts.filter((_, n) => n % LANES === 0 && n >= 24), "later"].toSorted());
    for (let round = 0; round < 5; round++) {
      fill();
      rig.take();
      rig.reopen();
    }
    expect(rig.claim()).toBeNull();
  });
});

describe("a lane that cannot be read any more", () => {
  const lanesWaiting = () => rig.ask("status", null).destinations[0]?.waitingLanes ?? [];

  it.each<[string, (bytes: Buffer, frameAt: number) => void]>([
    ["a length that is too small", flip(1)],
    ["a length beyond the end of the file", flip(0x80, 3)],
  ])("for %s, waits and says why, and the others go on", (_, change) => {
    fill(2 * LANES);
    damage("message 1 ", change);
    expect(() => rig.claim()).toThrow(/LEDGER_UNAVAILABLE: Lane 1 of the outbox .*damaged at byte \d+/);
    expect(rig.take()).toHaveLength(2 * (LANES - 1));
    expect(lanesWaiting()).toMatchObject([{ lane: 1, depth: 2, lastFailure: expect.stringContaining("damaged") }]);
    expect(rig.claim()).toBeNull();
    // What was meant comes when it can be read again.
    damage("message 1 ", change);
    rig.pass(60_000);
    expect(rig.take()).toHaveLength(2);
    expect(lanesWaiting()).toEqual([]);
  });
});

it("needs no memory for all that the tables do not know of when it is opened", () => {
  rig.commit([[0, "first"]]);
  const tables = tablesOf(rig);
  const body = "y".repeat(2_000_000);
  for (let number = 0; number < 20; number++) rig.commit([[number % LANES, body]]);
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const { exec } = DatabaseSync.prototype;
  onTestFinished(() => void Object.assign(DatabaseSync.prototype, { exec }));
  const held: number[] = [];
  // When tables are about to be brought up to the log, what is held of it is held all at once.
  DatabaseSync.prototype.exec = function (sql) {
    // Buffers that the first finds unused are given back while the second goes on.
    collect();
    collect();
    held.push(getHeapStatistics().external_memory);
    exec.call(this, sql);
  };
  rig.reopen(() => tables.restore());
  expect(Math.max(...held) - (held[0] ?? 0)).toBeLessThan(10 * body.length);
  expect(rig.ask("status", null)).toMatchObject({ depth: 21, committed: 21 });
});
