/** Pulls files to their end, one after the other, and if asked waits until every destination has what they brought. */

import type { Clock } from "../core/clock.ts";
import type { Ledger } from "../core/ledger.ts";
import type { BackfillCounts, BackfilledFile, BackfillProgress, BackfillSummary } from "../core/operations.ts";
import type { PullProgress, PullSource } from "../core/source.ts";
import { addCounts, countsOf, NOTHING, sumOf } from "./backfill-counts.ts";
import { createDepthGauge } from "./depth-gauge.ts";
import { createHistoryOrder, type HistoryOrder } from "./history-order.ts";
import type { Ingest } from "./ingest.ts";
import { paced } from "./pace.ts";
import { sync } from "./sync.ts";
import { untilDelivered } from "./until-delivered.ts";

export interface BackfillFile {
  readonly path: string;
  /** What it is, and how it is read. */
  readonly about: string;
  readonly bytes: number;
  readonly everything: PullSource;
  /** The same, for what it says of people. Null: nobody asks for that. */
  readonly memberships: PullSource | null;
}

export interface BackfillDependencies {
  readonly files: readonly BackfillFile[];
  readonly ingest: Ingest;
  /** Takes what all files say of people, before anything else. Null: they are in order, or say nothing. */
  readonly memberships: Ingest | null;
  readonly ledger: Pick<Ledger, "checkpoint" | "status" | "lanes">;
  readonly clock: Clock;
}

export interface BackfillOptions {
  readonly waitForDelivery: boolean;
  readonly maxEvents: number | null;
  /** Null: as fast as it goes. */
  readonly perSecond: number | null;
  readonly observe: (progress: BackfillProgress) => void;
  readonly signal: AbortSignal;
}

/** What `observe` is told beside the counts. */
type Phase = Pick<BackfillProgress, "phase" | "file">;

/** @throws what `sync` throws. */
export async function backfill(
  { files, ingest, memberships, ledger, clock }: BackfillDependencies,
  { waitForDelivery, maxEvents, perSecond, observe, signal }: BackfillOptions,
): Promise<Omit<BackfillSummary, "dryRun" | "leftOut">> {
  const startedAt = clock.now();
  const depth = createDepthGauge(ledger, clock);
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const done: BackfilledFile[] = [];
  let counts: BackfillCounts = NOTHING;
  let bytes = 0;
  let complete = true;
  let reachedLimit = false;

  /** `progress`: of the file at hand. `before`: records of those before it. */
  const tell = (phase: Phase, progress: Pick<PullProgress, "records" | "bytes">, before: number) => {
    const { messages, duplicates, rejected, skipped } = counts;
    const records = before + progress.records;
    const reached = { records, bytes: bytes + progress.bytes, totalBytes };
    observe({ ...reached, messages, duplicates, rejected, skipped, ...phase, depth: depth.lately() });
  };
  const placeOf = ({ path, about }: BackfillFile, index: number) => {
    return { path, about, number: index + 1, of: files.length };
  };

  let seen = 0;
  for (const [index, file] of memberships ? files.entries() : []) {
    if (!memberships || !file.memberships || signal.aborted) break;
    const phase = { phase: "memberships", file: placeOf(file, index) } as const;
    const parts = { source: file.memberships, ingest: memberships, ledger, clock };
    const { progress } = await sync(parts, (reached) => tell(phase, reached, seen), signal);
    seen += progress.records;
    bytes += file.bytes;
  }

  bytes = 0;
  for (const [index, file] of files.entries()) {
    if (!complete || signal.aborted) break;
    const before = counts;
    const phase = { phase: "reading", file: placeOf(file, index) } as const;
    let own: BackfillCounts = NOTHING;
    const order = createHistoryOrder(ledger.lanes);
    const source = perSecond === null ? file.everything : paced(file.everything, perSecond, clock);
    const limit = maxEvents === null ? {} : { maxMessages: Math.max(0, maxEvents - before.messages) };
    const { progress, resumedAt, ...ending } = await sync(
      { source, ingest: watched(ingest, order), ledger, clock, ...limit },
      (reached, result) => {
        own = { ...addCounts(own, countsOf(result)), skipped: reached.skipped ?? 0 };
        counts = sumOf([before, own]);
        tell(phase, reached, before.records);
      },
      signal,
    );
    own = { ...own, records: progress.records, resumedAt };
    counts = sumOf([before, own]);
    done.push({ path: file.path, about: file.about, ...own, timesFall: order.timesFall() });
    bytes += file.bytes;
    ({ complete, reachedLimit } = ending);
  }
  complete &&= !signal.aborted;

  const [last] = files.slice(-1);
  const onDepth = (waiting: number) => {
    if (!last) return;
    const { messages, duplicates, rejected, skipped, records } = counts;
    const file = placeOf(last, files.length - 1);
    const reached = { records, bytes: totalBytes, totalBytes, messages, duplicates, rejected, skipped };
    observe({ ...reached, phase: "delivering", file, depth: waiting });
  };
  if (waitForDelivery) await untilDelivered(ledger, clock, onDepth, signal);
  return { ...counts, files: done, reachedLimit, tookMs: clock.now() - startedAt, complete };
}

function watched({ prepare, commit }: Ingest, order: HistoryOrder): Ingest {
  return {
    prepare,
    async commit(prepared, checkpoint) {
      const result = await commit(prepared, checkpoint);
      order.see(prepared);
      return result;
    },
  };
}
