/** One sync of a source of rows, with the run that is kept of it. */

import type { Clock } from "../../core/clock.ts";
import { type PrickleError, toPrickleError } from "../../core/errors.ts";
import type { Ledger } from "../../core/ledger.ts";
import type { RejectionReason } from "../../core/record.ts";
import { EMPTY_RUN, type Run, type RunReport } from "../../core/runs.ts";
import type { PullProgress, PullSource } from "../../core/source.ts";
import type { Ingest, IngestResult } from "../ingest.ts";
import { sync } from "../sync.ts";

export interface SyncRowsDependencies {
  /** Name in prickle.yaml. */
  readonly source: string;
  readonly pull: PullSource;
  readonly ingest: Ingest;
  readonly ledger: Pick<Ledger, "checkpoint" | "putRun" | "runs">;
  readonly clock: Clock;
  /** Null: no limit. */
  readonly maxMessages: number | null;
  /** Kept of it when it fails before the source said anything. */
  readonly kind: RunReport["kind"];
}

export interface SyncRowsResult {
  readonly run: Run;
  /** Null: it was complete, or stopped. Else the next run goes on, if `retryable`, or something has to be done first. */
  readonly failure: PrickleError | null;
}

const KEEP_EVERY_MS = 5_000;

/** Never rejects for what the source or the ledger throws: that is how the run ended. */
export async function syncRows(
  dependencies: SyncRowsDependencies,
  observe: (run: Run) => void,
  signal: AbortSignal,
): Promise<SyncRowsResult> {
  const { source, pull, ingest, ledger, clock, maxMessages, kind } = dependencies;
  let run: Run = { ...EMPTY_RUN, source, kind, startedAt: clock.now() };
  /** What runs of the same begin did before this one. */
  let earlier: Run | null = null;
  let keptAt = 0;

  const onCommit = ({ run: report }: PullProgress, result: IngestResult) => {
    if (!report) return;
    const isNew = earlier?.startedAt !== report.startedAt;
    run = added(isNew ? { ...run, ...report } : { ...run, ...joined(earlier, report) }, result);
    observe(run);
    if (clock.now() - keptAt < KEEP_EVERY_MS) return;
    keptAt = clock.now();
    void ledger.putRun(run).catch(() => undefined); // It is kept again at its end.
  };

  let failure: PrickleError | null = null;
  let reason: string | null = null;
  try {
    earlier = await unfinished(ledger, source);
    if (earlier) run = { ...earlier, endedAt: null, outcome: null, reason: null };
    const limit = maxMessages === null ? {} : { maxMessages };
    const { complete, reachedLimit } = await sync({ source: pull, ingest, ledger, clock, ...limit }, onCommit, signal);
    if (!complete) reason = reachedLimit ? "it reached its limit of events (maxEventsPerRun)" : "it was stopped";
  } catch (thrown) {
    failure = signal.aborted ? null : toPrickleError(thrown);
    reason = failure ? failure.message : "it was stopped";
  }
  const outcome = failure && !failure.retryable ? "failed" : reason === null ? "complete" : "partial";
  run = { ...run, endedAt: clock.now(), outcome, reason };
  await ledger.putRun(run).catch((thrown: unknown) => {
    failure ??= toPrickleError(thrown);
  });
  return { run, failure };
}

async function unfinished(ledger: Pick<Ledger, "runs">, source: string): Promise<Run | null> {
  const [last] = await ledger.runs({ source, limit: 1 });
  return last && last.outcome !== "complete" ? last : null;
}

/** What was read counts on from where it was; requests are counted anew by each process. */
function joined(earlier: Run | null, report: RunReport): Partial<Run> {
  if (!earlier) return report;
  return { ...report, requests: earlier.requests + report.requests, resumed: earlier.resumed + 1 };
}

function added(run: Run, { messages, saved, rejections }: IngestResult): Run {
  const rejected: Partial<Record<RejectionReason, number>> = { ...run.rejected };
  for (const { reason } of rejections) rejected[reason] = (rejected[reason] ?? 0) + 1;
  return { ...run, messages: run.messages + messages, saved: run.saved + saved, rejected };
}
