/** Backfills beside live calls, through mapping, a real ledger and delivery: what is old must keep nothing waiting, and nothing may get lost. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DELIVERED, type Outcome } from "../../src/core/destination.ts";
import type { Ledger } from "../../src/core/ledger.ts";
import type { OutboxMessage } from "../../src/core/message.ts";
import type { SourceRecord } from "../../src/core/record.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite/open.ts";
import { createIngest } from "../../src/pipeline/ingest.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { shippedMapping } from "../core/mapping/shipped.ts";
import { createManualClock, type ManualClock } from "../fakes/clock.ts";
import { createRig, scriptedDestination } from "./delivery-rig.ts";

const DAY_MS = 86_400_000;
const SEGMENT = shippedMapping("segment");
const LANES = 8;

let directory: string;
let clock: ManualClock;
let ledger: Ledger;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-history-"));
  clock = createManualClock();
  ledger = await openLedger();
});
afterEach(async () => {
  await ledger.close();
  await rm(directory, { recursive: true, force: true });
});

function openLedger(): Promise<Ledger> {
  return openSqliteLedger({
    directory,
    destinations: ["test"],
    maxDepth: 1_000_000,
    seenDays: 7,
    lanes: LANES,
    groupRules: { segment: SEGMENT.groupRules },
    clock,
    logger: createLogger("silent"),
  });
}

let calls = 0;

/** A call of so many days ago; each of a group says something new of it. */
function callOf(kind: "track" | "group", who: number, ageDays: number): SourceRecord {
  const number = calls++;
  const occurredAt = clock.now() - ageDays * DAY_MS;
  const said = kind === "track" ? { event: "Seen", properties: { number } } : { traits: { [`at${number}`]: number } };
  const payload = { type: kind, userId: `user-${who}`, groupId: `company-${who}`, ...said };
  return {
    source: "segment",
    id: `call-${number}`,
    occurredAt,
    statedAt: occurredAt,
    receivedAt: clock.now(),
    payload,
  };
}

async function take(records: readonly SourceRecord[], isBackfill: boolean): Promise<void> {
  const { observer } = createMetrics();
  const onCommitted = () => undefined;
  const ingest = createIngest({
    source: "segment",
    mapping: SEGMENT,
    ledger,
    observer,
    clock,
    onCommitted,
    isBackfill,
  });
  await ingest.commit(ingest.prepare({ records, rejections: [] }));
}

it("delivers a live call at once while 100,000 messages of a backfill wait", async () => {
  for (let page = 0; page < 50; page++) {
    await take(
      Array.from({ length: 2_000 }, (_, index) => callOf("track", index % 500, 400)),
      true,
    );
  }
  const limits = { maxMessages: 1000, messagesPerSecond: 1000, historical: { messagesPerSecond: 500 }, lingerMs: 50 };
  const seen: boolean[] = [];
  const destination = scriptedDestination((batch) => {
    for (const { historical } of batch) seen.push(historical);
    return DELIVERED;
  }, limits);
  const rig = createRig(destination, () => ledger, { clock });
  rig.delivery.start();
  await rig.until(() => seen.length >= 2_000);
  const askedAt = clock.now();
  const before = seen.length;
  await take([callOf("track", 1, 0)], false);
  rig.delivery.wake();
  await rig.until(() => seen.includes(false));
  expect(seen.indexOf(false)).toBeLessThanOrEqual(before + 1_000);
  expect(clock.now() - askedAt).toBeLessThanOrEqual(2_000);
  await rig.delivery.stop(0);
  const [status] = (await ledger.status()).destinations;
  expect(status?.services.historical.depth).toBeGreaterThan(95_000);
}, 60_000);

interface Step {
  readonly kind: "backfill" | "live" | "deliver" | "kill";
  readonly calls: readonly (readonly [isGroup: boolean, who: number, ageDays: number])[];
  /** What the destination answers to the next messages, in turn. */
  readonly answers: readonly ("delivered" | "retry" | "down")[];
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("backfill", "backfill", "live", "deliver", "deliver", "kill"),
  calls: fc.array(fc.tuple(fc.boolean(), fc.nat(3), fc.constantFrom(0, 1, 3, 900)), { minLength: 1, maxLength: 8 }),
  answers: fc.array(fc.constantFrom("delivered" as const, "delivered" as const, "retry" as const, "down" as const)),
});

interface Delivered {
  readonly uuid: string;
  /** Of what stays in order: a person's or a group's, of one service. */
  readonly key: string;
  readonly isGroup: boolean;
  readonly historical: boolean;
  readonly number: number;
}

function readDelivered({ historical, body }: OutboxMessage): Delivered {
  const { event, uuid, distinct_id, properties } = JSON.parse(Buffer.from(body).toString());
  const isGroup = event === "$groupidentify";
  const [name = ""] = isGroup ? Object.keys(properties.$group_set).filter((one) => one.startsWith("at")) : [];
  const number = isGroup ? properties.$group_set[name] : properties.number;
  return { uuid, historical, isGroup, key: `${distinct_id} ${historical}`, number };
}

/** Commits and deliveries as they come, kills between them, then the rest. */
async function deliverSteps(steps: readonly Step[]) {
  const delivered: Delivered[] = [];
  const given = { past: 0, all: 0 };
  let answers: Step["answers"] = [];
  const destination = scriptedDestination((batch) => {
    const stopped = new Set<number>();
    return batch.map((message, index): Outcome => {
      const answer = answers[(delivered.length + index) % Math.max(1, answers.length)] ?? "delivered";
      if (stopped.has(message.lane) || answer !== "delivered") {
        stopped.add(message.lane);
        return { kind: "retry", reason: "busy", ...(answer === "down" ? { retryAfterMs: 5_000 } : {}) };
      }
      delivered.push(readDelivered(message));
      return DELIVERED;
    });
  });
  let rig = createRig(destination, () => ledger, { clock });
  for (const { kind, calls: some, answers: next } of steps) {
    answers = next;
    if (kind === "backfill" || kind === "live") {
      given.all += some.length;
      given.past += kind === "backfill" ? some.filter(([isGroup, , age]) => !isGroup && age >= 2).length : 0;
      await take(
        some.map(([isGroup, who, age]) => callOf(isGroup ? "group" : "track", who, age)),
        kind === "backfill",
      );
      rig.delivery.wake();
    } else if (kind === "deliver") {
      rig.delivery.start();
      await rig.pass(2_000);
    } else {
      await rig.delivery.stop(0);
      await ledger.close();
      ledger = await openLedger();
      rig = createRig(destination, () => ledger, { clock });
    }
  }
  answers = [];
  await rig.drain();
  await rig.delivery.stop(0);
  return { delivered, given };
}

it("delivers everything once, in order by key and service, groups always live, whatever fails and whenever it ends", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
      const { delivered, given } = await deliverSteps(steps);
      expect(new Set(delivered.map(({ uuid }) => uuid)).size).toBe(given.all);
      expect(delivered).toHaveLength(given.all);
      expect(delivered.filter(({ historical }) => historical)).toHaveLength(given.past);
      expect(delivered.filter(({ isGroup, historical }) => isGroup && historical)).toEqual([]);
      const last = new Map<string, number>();
      for (const { key, number } of delivered) {
        expect(number).toBeGreaterThan(last.get(key) ?? -1);
        last.set(key, number);
      }
    }),
    { numRuns: 12 },
  );
}, 60_000);
