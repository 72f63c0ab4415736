/** Takes calls into a fresh ledger, page by page as a backfill does, with or without attribution. */

import { readFile } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { messageUuid, recordUuid } from "../../src/core/identity.ts";
import { compileMapping } from "../../src/core/mapping/compile.ts";
import type { Mapping } from "../../src/core/mapping/mapping.ts";
import { writeMessage } from "../../src/core/message.ts";
import { createParcelWriter } from "../../src/core/parcel.ts";
import type { SourceRecord } from "../../src/core/record.ts";
import type { Page, Prepared, PullSource } from "../../src/core/source.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite/open.ts";
import type { Ingest } from "../../src/pipeline/ingest.ts";
import { createPrepare } from "../../src/pipeline/prepare.ts";
import { sync } from "../../src/pipeline/sync.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { readLoggedCall } from "../../src/sources/segment/raw-log.ts";
import type { AttributionInput, AttributionResult } from "../attribution.ts";

const PAGE = 500;
const PEOPLE = 20_000;
const COMPANIES = 2_000;
const START_MS = Date.UTC(2026, 0, 1);

const input: AttributionInput = JSON.parse(process.argv[2] ?? "{}");
const text = await readFile(new URL("../../mappings/segment.yaml", import.meta.url), "utf8");
const mapping = compileMapping({ name: "segment", text, file: "segment.yaml" });
const ledger = await openSqliteLedger({
  directory: input.directory,
  destinations: ["posthog"],
  maxDepth: 100_000_000,
  seenDays: 7,
  groupRules: { segment: mapping.groupRules },
  clock: systemClock,
  logger: createLogger("warn"),
});
const prepare = input.attributes ? createPrepare({ mapping, lanes: ledger.lanes }) : createPlainPrepare(mapping);
const lines = Array.from({ length: input.calls }, (_, at) => line(at));

const startedAt = performance.now();
let attributed = 0;
const ingest: Ingest = {
  prepare,
  async commit({ received, parcels, rejections }, checkpoint) {
    const commit = { source: "segment", parcels, rejections, ...(checkpoint ? { checkpoint } : {}) };
    const { committed, attribution } = await ledger.commit(commit);
    attributed += attribution.attributed;
    return { received, messages: committed, duplicates: 0, rejections: [], saved: 0, stale: 0, attributed: 0 };
  },
};
const source: PullSource = { checkpointName: "bench", pages };
await sync({ source, ingest, ledger, clock: systemClock }, () => undefined, new AbortController().signal);
const seconds = (performance.now() - startedAt) / 1000;
await ledger.close();
const peakMegabytes = process.resourceUsage().maxRSS / 1024;
const result: AttributionResult = { callsPerSecond: input.calls / seconds, attributed, peakMegabytes };
console.log(JSON.stringify(result));

async function* pages(): AsyncGenerator<Page> {
  for (let at = 0; at < lines.length; at += PAGE) {
    const records = lines.slice(at, at + PAGE).map((one, offset) => recordOf(one, at + offset));
    await setImmediate(); // As who reads from a file or a socket: what is to be sent gets its turn.
    const progress = { records: at + PAGE, bytes: 0, totalBytes: null };
    yield { records, rejections: [], cursor: `${at + PAGE}`, progress };
  }
}

function recordOf(json: string, at: number): SourceRecord {
  const read = readLoggedCall(JSON.parse(json), { source: "segment", receivedAt: START_MS, position: `${at}` });
  if ("reason" in read) throw new Error(read.detail);
  return read;
}

/** Every message as it is mapped, final at once. */
function createPlainPrepare({ apply }: Mapping): (intake: { readonly records: readonly SourceRecord[] }) => Prepared {
  const parcel = createParcelWriter();
  return ({ records }) => {
    for (const record of records) {
      parcel.record(recordUuid(record));
      for (const [index, draft] of apply(record).drafts.entries()) {
        const uuid = messageUuid(record, index);
        writeMessage(draft, { uuid, occurredAt: record.occurredAt, lanes: ledger.lanes }, parcel);
      }
    }
    return { received: records.length, parcels: [parcel.take()], rejections: [], groups: [] };
  };
}

/** About 1 KB. Every tenth says to which company somebody belongs; the others name no group. */
function line(at: number): string {
  const person = (Math.floor(at / 3) * 7919) % PEOPLE;
  const timestamp = new Date(START_MS + at * 25).toISOString();
  const groupId = `co_${person % COMPANIES}`;
  const call =
    at % 10 === 0
      ? { type: "group", groupId, traits: { name: `Company ${groupId}`, plan: "team", seats: at % 400 } }
      : { type: "track", event: "Task Completed", properties: { title: "Quarterly review", note: "n".repeat(500) } };
  return JSON.stringify({
    ...call,
    messageId: `bench-${at}`,
    userId: `user_${person}`,
    anonymousId: `${person}-bbac-11e4-8dfc-aa07a5b093db`,
    context: { library: { name: "analytics.js", version: "next-1.82.0" }, locale: "en-GB", ip: "203.0.113.7" },
    originalTimestamp: timestamp,
    sentAt: timestamp,
    receivedAt: timestamp,
    timestamp,
  });
}
