/** Pulls a source from its checkpoint on, page by page. A backfill is a sync whose source is a file. */

import type { Clock } from "../core/clock.ts";
import { PrickleError } from "../core/errors.ts";
import type { Ledger } from "../core/ledger.ts";
import type { Rejection } from "../core/record.ts";
import type { Page, PullProgress, PullSource } from "../core/source.ts";
import type { Ingest, IngestResult, Prepared } from "./ingest.ts";

export interface SyncDependencies {
  readonly source: PullSource;
  readonly ingest: Ingest;
  readonly ledger: Pick<Ledger, "checkpoint">;
  readonly clock: Clock;
}

export interface SyncCounts {
  readonly messages: number;
  readonly duplicates: number;
  readonly rejections: readonly Rejection[];
}

export interface SyncResult {
  readonly progress: PullProgress;
  /** Records already done by an earlier run, by its checkpoint. */
  readonly resumedAt: number;
  /** False when it was stopped before the end; the next run resumes. */
  readonly complete: boolean;
}

/** How long to wait for room in the ledger when the error does not say. */
const ROOM_WAIT_MS = 500;

/**
 * Commits every page with its cursor, in order, each once the page before it is on disk; the next page is read and
 * mapped meanwhile. A ledger without room is waited for: deliveries make some.
 * @throws whatever the source throws, and LEDGER_UNAVAILABLE, LEDGER_LOCKED; what was committed until then stays.
 */
export async function sync(
  { source, ingest, ledger, clock }: SyncDependencies,
  onPage: (progress: PullProgress, result: IngestResult) => void,
  signal: AbortSignal,
): Promise<SyncResult> {
  let progress: PullProgress = { records: 0, bytes: 0, totalBytes: null };
  let resumedAt: number | null = null;
  let committing: Promise<void> = Promise.resolve();

  const commit = async (prepared: Prepared, page: Page) => {
    const checkpoint = { name: source.checkpointName, cursor: page.cursor };
    const result = await whenThereIsRoom(() => ingest.commit(prepared, checkpoint), clock, signal);
    if (!result) return;
    progress = page.progress;
    onPage(progress, result);
  };

  try {
    for await (const page of source.pages(await ledger.checkpoint(source.checkpointName), signal)) {
      resumedAt ??= page.progress.records - page.records.length - page.rejections.length;
      const prepared = ingest.prepare(page);
      await committing;
      if (signal.aborted) break;
      committing = commit(prepared, page);
      committing.catch(() => undefined); // Its failure is met at the next `await committing`.
    }
  } finally {
    await committing;
  }
  return { progress, resumedAt: resumedAt ?? 0, complete: !signal.aborted };
}

/** Null when `signal` aborts while waiting. */
async function whenThereIsRoom<Result>(
  attempt: () => Promise<Result>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result | null> {
  for (;;) {
    try {
      return await attempt();
    } catch (thrown) {
      if (!(thrown instanceof PrickleError && thrown.code === "LEDGER_FULL")) throw thrown;
      await clock.sleep(thrown.retryAfterMs ?? ROOM_WAIT_MS, signal);
      if (signal.aborted) return null;
    }
  }
}
