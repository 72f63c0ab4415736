/** A real ledger that attributes calls of Segment, what it delivers, and how its tables are made to forget. */

import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GroupRules } from "../../src/core/attribution/rules.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Commit, CommitResult, Ledger, SettleOutcome } from "../../src/core/ledger.ts";
import type { SourceRecord } from "../../src/core/record.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite/open.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { uuidIn } from "../fakes/outbox.ts";
import { createReceived, LANES, prepare, type Received, receive, rulesOfSources } from "../pipeline/attributed.ts";

const DESTINATION = "engine";
const DELIVERED: SettleOutcome = { kind: "delivered" };

export interface AttributingLedger {
  readonly ledger: Ledger;
  readonly received: Received;
  commit(...records: readonly SourceRecord[]): Promise<CommitResult>;
  /** As a backfill does in its first pass: only what they say of people. */
  commitStatements(...records: readonly SourceRecord[]): Promise<CommitResult>;
  /** Delivers all that waits; gives the texts, parsed, in the order in which they came. */
  deliver(settle?: (event: string) => SettleOutcome, destination?: string): Promise<readonly Delivered[]>;
  reopen(destinations?: readonly string[]): Promise<void>;
  /** As after a power cut: the tables are as they were before `action`, the log is whole. */
  forgetting(action: () => Promise<unknown>): Promise<void>;
  remove(): Promise<void>;
}

export interface Delivered {
  readonly uuid: string;
  readonly event: string;
  readonly properties: JsonObject;
}

export interface AttributingOptions {
  readonly maxDepth?: number;
  readonly segmentBytes?: number;
  readonly clock?: Pick<Clock, "now">;
}

export async function openAttributing(
  bySource: Readonly<Record<string, Partial<GroupRules>>> = { segment: {} },
  { clock = systemClock, maxDepth = 1_000_000, ...more }: AttributingOptions = {},
): Promise<AttributingLedger> {
  const directory = await mkdtemp(join(tmpdir(), "prickle-attributing-"));
  const groupRules = rulesOfSources(bySource);
  const options = { ...more, directory, maxDepth, seenDays: 7, lanes: LANES, groupRules, clock };
  let destinations: readonly string[] = [DESTINATION];
  const open = () => openSqliteLedger({ ...options, destinations, logger: createLogger("silent") });
  const received = createReceived();
  let ledger = await open();
  const [tables, copy] = [join(directory, "ledger.sqlite"), join(directory, "tables.copy")];
  const restarting = async (meanwhile: () => Promise<unknown>) => {
    await ledger.close();
    await meanwhile();
    ledger = await open();
  };
  return {
    received,
    get ledger() {
      return ledger;
    },
    commit: (...records) => ledger.commit(commitOf(records)),
    commitStatements: (...records) => ledger.commit(commitOf(records, "statements")),
    async deliver(settle = () => DELIVERED, destination = DESTINATION) {
      const all: Delivered[] = [];
      const request = {
        destination,
        service: "live" as const,
        maxMessages: 1000,
        maxBytes: 1e7,
        leaseMs: 60_000,
      };
      for (let claim = await ledger.claim(request); claim; claim = await ledger.claim(request)) {
        const some = claim.messages.map((message) => ({
          uuid: uuidIn(message),
          text: new TextDecoder().decode(message.body),
        }));
        const outcomes = some.map(({ text }) => settle(JSON.parse(text).event));
        for (const [index, { uuid, text }] of some.entries()) {
          all.push(JSON.parse(text));
          if (outcomes[index]?.kind === "delivered") receive(uuid, text, received);
        }
        await ledger.settle(claim.id, outcomes);
      }
      return all;
    },
    reopen: (named = destinations) =>
      restarting(async () => {
        destinations = named;
      }),
    async forgetting(action) {
      await restarting(() => copyFile(tables, copy));
      await action();
      await restarting(async () => {
        await rm(`${tables}-wal`, { force: true });
        await copyFile(copy, tables);
      });
    },
    async remove() {
      await ledger.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What ingest would commit. */
export function commitOf(records: readonly SourceRecord[], what: keyof typeof prepare = "all"): Commit {
  const { parcels, rejections, groups } = prepare[what]({ records, rejections: [] });
  return { source: records[0]?.source ?? "segment", parcels, rejections, groups };
}

/** A call that happened at `at` seconds, which is its id too. */
export function callAt(at: number, payload: JsonObject, source = "segment"): SourceRecord {
  const time = at * 1_000;
  return { source, id: `m${at}`, occurredAt: time, statedAt: time, receivedAt: time, payload };
}

export function groupCall(at: number, userId: string, groupId: string, traits: JsonObject = {}): SourceRecord {
  return callAt(at, { type: "group", userId, groupId, traits });
}

export function trackCall(at: number, userId: string, more: JsonObject = {}): SourceRecord {
  return callAt(at, { type: "track", event: "Seen", userId, ...more });
}
