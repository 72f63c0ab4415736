import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import { createGroupPacker } from "../../src/ledger/sqlite/group-bytes.ts";
import type { Reply, Request } from "../../src/ledger/sqlite/protocol.ts";
import { openStore, type Store } from "../../src/ledger/sqlite/store.ts";
import { commitOf, messageOf } from "../contracts/ledger.ts";

const { fdatasyncSync, writeSync } = fs;
const { pack } = createGroupPacker();
let directory: string;
let store: Store;
/** What was asked of the disk, in order. */
let disk: string[];
let flush: typeof fdatasyncSync;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-flush-"));
  const options = {
    directory,
    destinations: ["posthog"],
    maxDepth: 1000,
    seenDays: 7,
    lanes: 4,
    groupRules: {},
    segmentBytes: 1e6,
  };
  store = openStore(options);
  commit(0, 0); // Begins the first file of the log.
  disk = [];
  flush = fdatasyncSync;
  fs.fdatasyncSync = (file) => {
    disk.push("flush");
    flush(file);
  };
  fs.writeSync = ((file: number, ...rest: [Uint8Array]) => {
    disk.push("write");
    return writeSync(file, ...rest);
  }) as typeof writeSync;
  syncBuiltinESMExports();
});
afterEach(async () => {
  Object.assign(fs, { fdatasyncSync, writeSync });
  syncBuiltinESMExports();
  store.close();
  await rm(directory, { recursive: true, force: true });
});

let ids = 0;
const request = <Kind extends Request["kind"]>(kind: Kind, asks: Extract<Request, { kind: Kind }>["asks"]): Request =>
  ({ kind, asks, id: ids++, now: 1_000_000 }) as Request;

function commitRequest(...records: readonly number[]): Request {
  return request("commit", { bytes: pack(records.map((record) => commitOf([messageOf(0, `${record}`)], record))) });
}

function commit(...records: readonly number[]): readonly Reply[] {
  return store.carryOut([commitRequest(...records)]);
}

it("flushes what it wrote before it answers, once for all that was asked together", () => {
  const replies = store.carryOut([commitRequest(1, 2), commitRequest(3)]);
  expect(replies.map(({ ok }) => ok)).toEqual([true, true]);
  expect(disk).toEqual(["write", "flush"]);
});

it("flushes nothing for what may be done again: claims, settlements and what was seen before", () => {
  const [claimed] = store.carryOut([
    request("claim", { destination: "posthog", service: "live", maxMessages: 9, maxBytes: 999, leaseMs: 9 }),
  ]);
  expect(claimed).toMatchObject({ ok: true, gives: { slots: [{ count: 1 }] } });
  store.carryOut([request("settle", { claimId: 1, exceptions: [], memory: null })]);
  expect(commit(0)).toMatchObject([{ ok: true, gives: { replies: [{ duplicates: [0], committed: 0 }] } }]);
  expect(disk).toEqual([]);
});

it("answers nothing once a flush failed: nobody knows then what is on disk", () => {
  flush = () => {
    throw Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO", syscall: "fdatasync" });
  };
  expect(() => commit(7)).toThrow("EIO");
});

it("refuses with LEDGER_FULL what there is no room for, and has nothing of it when it is opened again", () => {
  fs.writeSync = (() => {
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", syscall: "write" });
  }) as typeof writeSync;
  syncBuiltinESMExports();
  expect(commit(8, 9)).toMatchObject([{ ok: false, failure: { code: "LEDGER_FULL" } }]);
  fs.writeSync = writeSync;
  syncBuiltinESMExports();
  expect(commit(9)).toMatchObject([{ ok: true, gives: { replies: [{ duplicates: [], committed: 1 }] } }]);
  store.close();
  store = openStore({
    directory,
    destinations: ["posthog"],
    maxDepth: 1000,
    seenDays: 7,
    lanes: 4,
    groupRules: {},
    segmentBytes: 1e6,
  });
  const [status] = store.carryOut([request("status", null)]);
  expect(status).toMatchObject({ ok: true, gives: { depth: 2, committed: 2 } });
});

it("uses the memory of a claim for one other claim only, also when its settlement had to be tried again", () => {
  const claim = () => {
    const asks = { destination: "posthog", service: "live" as const, maxMessages: 1, maxBytes: 999, leaseMs: 9 };
    const [reply] = store.carryOut([request("claim", asks)]);
    if (!reply?.ok || typeof reply.gives !== "object" || !reply.gives || !("slots" in reply.gives)) throw new Error();
    return reply.gives;
  };
  const { id, bytes } = claim();
  fs.writeSync = (() => {
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", syscall: "write" });
  }) as typeof writeSync;
  syncBuiltinESMExports();
  const settle = request("settle", { claimId: id, exceptions: [], memory: bytes.buffer });
  expect(store.carryOut([settle, commitRequest(1)]).map(({ ok }) => ok)).toEqual([true, false]);
  fs.writeSync = writeSync;
  syncBuiltinESMExports();
  const lanes = commitOf([messageOf(1, "one"), messageOf(2, "two")], 2);
  store.carryOut([request("commit", { bytes: pack([lanes]) })]);
  const memories = [claim(), claim()].map((one) => one.bytes.buffer);
  expect(memories[0]).toBe(bytes.buffer);
  expect(memories[1]).not.toBe(bytes.buffer);
});

const limitFiles = (bytes: string) => execFileSync("prlimit", ["--pid", `${process.pid}`, `--fsize=${bytes}:`]);
const canLimitFiles = (() => {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

it.skipIf(!canLimitFiles)("takes a record back out of the log when there is no room for the tables after it", () => {
  for (let record = 1; record <= 200; record++) commit(record);
  onTestFinished(() => void limitFiles("unlimited"));
  flush = (file) => {
    fdatasyncSync(file);
    limitFiles("4096");
  };
  expect(commit(888)).toMatchObject([{ ok: false, failure: { code: "LEDGER_FULL" } }]);
  expect(disk).toContain("flush");
  flush = fdatasyncSync;
  limitFiles("unlimited");
  expect(commit(999)).toMatchObject([{ ok: true, gives: { replies: [{ committed: 1 }] } }]);
  expect(commit(888)).toMatchObject([{ ok: true, gives: { replies: [{ duplicates: [], committed: 1 }] } }]);
  const [status] = store.carryOut([request("status", null)]);
  expect(status).toMatchObject({ ok: true, gives: { depth: 203, committed: 203 } });
});
