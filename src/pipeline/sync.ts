/** Pulls a source from its checkpoint on, page by page. A backfill is a sync whose source is a file. */

import type { Clock } from "../core/clock.ts";
import { PrickleError } from "../core/errors.ts";
import type { Ledger } from "../core/ledger.ts";
import type { Page, Prepared, PreparedPage, PullProgress, PullSource } from "../core/source.ts";
import type { Ingest, IngestResult } from "./ingest.ts";
import { joinPrepared } from "./prepare.ts";

export interface SyncDependencies {
  readonly source: PullSource;
  readonly ingest: Ingest;
  readonly ledger: Pick<Ledger, "checkpoint">;
  readonly clock: Clock;
  /** Stops before more messages than this are made. Default: no limit. */
  readonly maxMessages?: number;
}

export interface SyncResult {
  readonly progress: PullProgress;
  /** Records already done by an earlier run, by its checkpoint. */
  readonly resumedAt: number;
  /** False when it was stopped before the end; the next run resumes. */
  readonly complete: boolean;
  /** It was stopped because the next page may have made more messages than `maxMessages`. */
  readonly reachedLimit: boolean;
}

/** How long to wait for room in the ledger when the error does not say. */
const ROOM_WAIT_MS = 500;
/** Pages that one commit takes at most: what is mapped while the one before is on its way to the disk. */
const MAX_PAGES = 3;

/** To be called when a page is on disk, or when it is known that it will not be. */
type Told = (isOnDisk: boolean) => void;

/** Pages read and mapped, to be committed together with the cursor of the last one. */
interface Batch {
  readonly pages: readonly Prepared[];
  readonly told: readonly Told[];
  readonly cursor: string;
  readonly progress: PullProgress;
}

/**
 * Commits pages with their cursor, in order, one commit at a time; the next pages are read and mapped meanwhile. A
 * ledger without room is waited for: deliveries make some.
 * @throws whatever the source throws, and LEDGER_UNAVAILABLE, LEDGER_LOCKED; what was committed until then stays.
 */
export async function sync(
  { source, ingest, ledger, clock, maxMessages = Number.POSITIVE_INFINITY }: SyncDependencies,
  onCommit: (progress: PullProgress, result: IngestResult) => void,
  signal: AbortSignal,
): Promise<SyncResult> {
  let progress: PullProgress = { records: 0, bytes: 0, totalBytes: null };
  let resumedAt: number | null = null;
  let waiting: Batch | null = null;
  let committing: Promise<void> | null = null;
  let reachedLimit = false;
  /** Messages that may still be made, those of pages under way counted as if nothing of them were left out. */
  let left = maxMessages;

  const store = async ({ pages, told, cursor }: Batch) => {
    const checkpoint = { name: source.checkpointName, cursor };
    let isOnDisk = false;
    try {
      const result = await whenThereIsRoom(() => ingest.commit(joinPrepared(pages), checkpoint), clock, signal);
      isOnDisk = result !== null;
      return result;
    } finally {
      for (const tell of told) tell(isOnDisk);
    }
  };
  const commit = async (batch: Batch) => {
    const result = await store(batch);
    if (!result) return;
    const { pages, progress: reached } = batch;
    left += messagesOf(pages) - result.messages;
    progress = reached;
    onCommit(progress, result);
  };
  const giveUpWaiting = () => {
    for (const tell of waiting?.told ?? []) tell(false);
    waiting = null;
  };
  const commitWaiting = () => {
    if (!waiting) return;
    const batch = waiting;
    waiting = null;
    committing = commit(batch).then(() => {
      committing = null;
      // Who waits for its pages to be on disk may give no other before.
      if (signal.aborted) giveUpWaiting();
      else commitWaiting();
    });
    committing.catch(giveUpWaiting); // Its failure is met where it is awaited.
  };

  try {
    for await (const page of source.pages(await ledger.checkpoint(source.checkpointName), signal)) {
      const prepared = "parcels" in page ? page : ingest.prepare(page);
      resumedAt ??= page.progress.records - prepared.received;
      if (messagesOf([prepared]) > left) {
        // What is under way may make less than it could.
        await committing;
        commitWaiting();
        await committing;
      }
      reachedLimit = messagesOf([prepared]) > left;
      if (reachedLimit) break;
      left -= messagesOf([prepared]);
      const pages: Batch["pages"] = [...(waiting?.pages ?? []), prepared];
      const told: Batch["told"] = [...(waiting?.told ?? []), toldOf(page)];
      waiting = { pages, told, cursor: page.cursor, progress: page.progress };
      if (pages.length >= MAX_PAGES) await committing;
      if (signal.aborted) break;
      if (!committing) commitWaiting();
    }
  } finally {
    while (committing) await committing;
    if (!signal.aborted) commitWaiting();
    while (committing) await committing;
  }
  return { progress, resumedAt: resumedAt ?? 0, complete: !signal.aborted && !reachedLimit, reachedLimit };
}

function toldOf(page: Page | PreparedPage): Told {
  return (isOnDisk) => {
    if (!("parcels" in page)) page.committed?.(isOnDisk);
    else if (isOnDisk) page.release();
  };
}

/** At most: group identifies with nothing new, and records seen before, make none. */
function messagesOf(pages: readonly Prepared[]): number {
  return pages.reduce((sum, { parcels }) => sum + parcels.reduce((all, { messages }) => all + messages, 0), 0);
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
