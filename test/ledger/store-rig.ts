/** A store asked one thing at a time, on a disk that can run full and a machine that can lose its power. */

/** A store asked one thing at a time, on a disk that can run full and a machine that can lose its power. */

import fs, {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeadLetterFilter } from "../../src/core/dead-letter.ts";
import type { Commit } from "../../src/core/ledger.ts";
import { createGroupPacker } from "../../src/ledger/sqlite/group-bytes.ts";
import type { ClaimReply, Request, RequestKind, Requests, StoreOptions } from "../../src/ledger/sqlite/protocol.ts";
import { openStore, type Store } from "../../src/ledger/sqlite/store.ts";
import { commitOf, messageOf } from "../contracts/ledger.ts";

export interface StoreRig {
  readonly directory: string;
  /** Throws the failure's code and message. */
  ask<K extends RequestKind>(kind: K, asks: Requests[K]["asks"]): Requests[K]["gives"];
  /** A record for each list of messages, each a lane and a text; one commit, in one request. */
  commit(...records: readonly Messages[]): void;
  /** Two and more requests in one transaction, a record each. */
  commitTogether(...records: readonly Messages[]): void;
  /** What is due, and its claim. Null when nothing is. */
  claim(destination?: string): Claimed | null;
  /** Claims all that is due, and settles it as delivered. */
  take(destination?: string): readonly string[];
  /** Claims all that is due, and gives it up. */
  bury(destination?: string): void;
  /** The first slice of a replay; gives how many were put back. */
  replay(filter?: DeadLetterFilter): number;
  /** `meanwhile` is done to the files when nobody has them open. */
  reopen(meanwhile?: () => void): void;
  pass(ms: number): void;
  /** The process dies without a word; another one opens what it left. */
  kill(): void;
  remove(): void;
}

export type Messages = readonly (readonly [lane: number, text: string])[];

export interface Claimed {
  readonly id: number;
  readonly texts: readonly string[];
}

export const ALL = { service: "live" as const, maxMessages: 1000, maxBytes: 1_000_000, leaseMs: 1000 };
const FRAME_HEAD_BYTES = 20;

let records = 0;

export function createStoreRig(options: Partial<StoreOptions> = {}): StoreRig {
  const packer = createGroupPacker();
  let directory = mkdtempSync(join(tmpdir(), "prickle-store-"));
  let ids = 0;
  let now = 1_000_000;
  let store: Store | null = open();

  const close = () => {
    store?.close();
    store = null;
  };

  function open(): Store {
    return openStore({
      directory,
      destinations: ["a"],
      maxDepth: 100_000,
      seenDays: 7,
      lanes: 4,
      segmentBytes: 1_000_000,
      groupRules: {},
      ...options,
    });
  }

  const request = <K extends RequestKind>(kind: K, asks: Requests[K]["asks"]): Request =>
    ({ kind, asks, id: ids++, now }) as Request; // As `kind` and `asks` belong together.
  const commitRequest = (...commits: readonly Commit[]) => request("commit", { bytes: packer.pack(commits) });
  const commitOfRecord = (messages: Messages) =>
    commitOf(
      messages.map(([lane, text]) => messageOf(lane, text)),
      ++records,
    );

  function carryOut(...requests: readonly Request[]): readonly unknown[] {
    return (store?.carryOut(requests) ?? []).map((reply) => {
      if (!reply.ok) throw new Error(`${reply.failure.code}: ${reply.failure.message}`);
      return reply.gives;
    });
  }

  function ask<K extends RequestKind>(kind: K, asks: Requests[K]["asks"]): Requests[K]["gives"] {
    return carryOut(request(kind, asks))[0] as Requests[K]["gives"]; // The reply to a request is of its kind.
  }

  function claim(destination = "a"): Claimed | null {
    const reply = ask("claim", { ...ALL, destination });
    return reply && { id: reply.id, texts: textsOf(reply) };
  }

  return {
    get directory() {
      return directory;
    },
    ask,
    claim,
    commit: (...all) => void carryOut(commitRequest(...all.map(commitOfRecord))),
    commitTogether: (...all) => void carryOut(...all.map((messages) => commitRequest(commitOfRecord(messages)))),
    take(destination) {
      const claimed = claim(destination);
      if (claimed) ask("settle", { claimId: claimed.id, exceptions: [], memory: null });
      return claimed?.texts ?? [];
    },
    bury(destination) {
      const claimed = claim(destination);
      const exceptions = (claimed?.texts ?? []).map((_, index) => [index, { kind: "dead", reason: "wrong" }] as const);
      if (claimed) ask("settle", { claimId: claimed.id, exceptions, memory: null });
    },
    replay: (filter = {}) => ask("replayDeadLetters", { filter, after: 0, upTo: null }).count,
    reopen(meanwhile) {
      close();
      meanwhile?.();
      store = open();
    },
    pass(ms) {
      now += ms;
    },
    kill() {
      const dead = directory;
      directory = mkdtempSync(join(tmpdir(), "prickle-store-"));
      cpSync(dead, directory, { recursive: true });
      close();
      rmSync(dead, { recursive: true, force: true });
      store = open();
    },
    remove() {
      close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function textsOf({ bytes, slots }: ClaimReply): readonly string[] {
  const frames = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages = slots.reduce((sum, { count }) => sum + count, 0);
  let at = 0;
  return Array.from({ length: messages }, () => {
    const from = at + FRAME_HEAD_BYTES;
    at = from + frames.readUInt32LE(at);
    return frames.toString("utf8", from, at);
  });
}

/** In order. */
export function logFiles({ directory }: StoreRig): readonly string[] {
  const names = readdirSync(directory).filter((name) => /^outbox-\d+\.log$/.test(name));
  return names.sort().map((name) => join(directory, name));
}

/** Bytes of the only file of the log. */
export function logBytes(rig: StoreRig): number {
  return statSync(logFiles(rig)[0] ?? "").size;
}

/** What the tables say now; `restore` makes them forget what they were told since. */
export function tablesOf({ directory }: StoreRig): { restore(): void } {
  const names = ["ledger.sqlite", "ledger.sqlite-wal"].map((name) => join(directory, name));
  const contents = names.map((name) => (existsSync(name) ? readFileSync(name) : null));
  return {
    restore() {
      for (const [index, name] of names.entries()) {
        const bytes = contents[index];
        if (bytes) writeFileSync(name, bytes);
        else rmSync(name, { force: true });
      }
    },
  };
}

export interface Disk {
  /** No byte is written to a file after its first `bytes`. */
  limitFiles(bytes: number): void;
  /** The next flush fails, and of what was written since the one before the first `bytes` are lost. */
  losePower(bytes: number): void;
  mend(): void;
}

/** Stands between whoever writes files and the real disk, until `mend`. */
export function breakableDisk(): Disk {
  const { writeSync, fdatasyncSync } = fs;
  let written: { file: number; at: number; length: number }[] = [];

  function put(replaced: Partial<typeof fs>): void {
    Object.assign(fs, replaced);
    syncBuiltinESMExports();
  }

  return {
    limitFiles(bytes) {
      put({
        writeSync: ((file: number, from: Uint8Array, offset: number, length: number, at: unknown) => {
          if (typeof at !== "number") return writeSync(file, from, offset, length);
          const fits = Math.min(length, bytes - at);
          if (fits <= 0) throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC", syscall: "write" });
          return writeSync(file, from, offset, fits, at);
        }) as typeof writeSync,
      });
    },
    losePower(bytes) {
      put({
        writeSync: ((file: number, from: Uint8Array, offset: number, length: number, at: number) => {
          written.push({ file, at, length });
          return writeSync(file, from, offset, length, at);
        }) as typeof writeSync,
        fdatasyncSync: () => {
          for (const { file, at, length } of written) {
            writeSync(file, Buffer.alloc(Math.min(bytes, length)), 0, Math.min(bytes, length), at);
          }
          throw Object.assign(new Error("power cut"), { code: "EIO", syscall: "fdatasync" });
        },
      });
    },
    mend() {
      written = [];
      put({ writeSync, fdatasyncSync });
    },
  };
}
