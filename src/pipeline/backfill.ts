/** Pulls a file to its end and, if asked, waits until every destination has what it brought. */

import type { Clock } from "../core/clock.ts";
import type { Ledger } from "../core/ledger.ts";
import type { BackfillProgress, BackfillSummary } from "../core/operations.ts";
import type { RejectionReason } from "../core/record.ts";
import type { PullProgress, PullSource } from "../core/source.ts";
import type { Ingest, IngestResult } from "./ingest.ts";
import { sync } from "./sync.ts";
import { untilDelivered } from "./until-delivered.ts";

export interface BackfillDependencies {
  readonly file: PullSource;
  readonly ingest: Ingest;
  /** Read before `file`: the same, for what it says of people. Null: the file is in order, or says nothing. */
  readonly memberships: { readonly file: PullSource; readonly ingest: Ingest } | null;
  readonly ledger: Pick<Ledger, "checkpoint" | "status">;
  readonly clock: Clock;
}

export interface BackfillOptions {
  readonly waitForDelivery: boolean;
  readonly maxEvents: number | null;
  readonly observe: (progress: BackfillProgress) => void;
  readonly signal: AbortSignal;
}

const LOOK_EVERY_MS = 200;

/** @throws what `sync` throws. */
export async function backfill(
  { file, ingest, memberships, ledger, clock }: BackfillDependencies,
  { waitForDelivery, maxEvents, observe, signal }: BackfillOptions,
): Promise<Omit<BackfillSummary, "dryRun">> {
  const startedAt = clock.now();
  const counts = { messages: 0, duplicates: 0, rejected: 0 };
  const attribution = { saved: 0, stale: 0, attributed: 0 };
  const rejectedByReason: Partial<Record<RejectionReason, number>> = {};
  const depth = createDepthGauge(ledger, clock);

  const onPage = (progress: PullProgress, result: IngestResult) => {
    const { messages, duplicates, rejections } = result;
    for (const what of ["saved", "stale", "attributed"] as const) attribution[what] += result[what];
    counts.messages += messages;
    counts.duplicates += duplicates;
    counts.rejected += rejections.length;
    for (const { reason } of rejections) rejectedByReason[reason] = (rejectedByReason[reason] ?? 0) + 1;
    observe({ ...progress, ...counts, phase: "reading", depth: depth.lately() });
  };
  if (memberships) {
    const parts = { source: memberships.file, ingest: memberships.ingest, ledger, clock };
    await sync(
      parts,
      (progress) => observe({ ...progress, ...counts, phase: "memberships", depth: depth.lately() }),
      signal,
    );
  }
  const { progress, resumedAt, complete, reachedLimit } = await sync(
    { source: file, ingest, ledger, clock, ...(maxEvents === null ? {} : { maxMessages: maxEvents }) },
    onPage,
    signal,
  );

  const onDepth = (depth: number) => observe({ ...progress, ...counts, phase: "delivering", depth });
  if (waitForDelivery) await untilDelivered(ledger, clock, onDepth, signal);
  return {
    records: progress.records,
    resumedAt,
    ...counts,
    ...attribution,
    rejectedByReason,
    reachedLimit,
    tookMs: clock.now() - startedAt,
    complete,
  };
}

/** The outbox's depth as of the last look, one look at a time: pages must not wait for it. */
function createDepthGauge(ledger: Pick<Ledger, "status">, clock: Clock): { lately(): number } {
  let depth = 0;
  let nextLookAt = 0;
  const look = async () => {
    depth = await ledger.status().then(
      (status) => status.depth,
      () => depth,
    );
  };
  return {
    lately() {
      if (clock.now() >= nextLookAt) {
        nextLookAt = clock.now() + LOOK_EVERY_MS;
        void look();
      }
      return depth;
    },
  };
}
