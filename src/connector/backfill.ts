/** The backfill an operator asks for: which file, mapped by whom, into which ingest. */

import { stat } from "node:fs/promises";
import type { Clock } from "../core/clock.ts";
import { PrickleError } from "../core/errors.ts";
import type { Ledger } from "../core/ledger.ts";
import type { MappingSource } from "../core/mapping/compile.ts";
import { portableMapping } from "../core/mapping/portable.ts";
import type { BackfillRequest, Operations } from "../core/operations.ts";
import type { PullSource } from "../core/source.ts";
import { backfill } from "../pipeline/backfill.ts";
import type { Ingest } from "../pipeline/ingest.ts";
import {
  createFileSource,
  type FileSourceOptions,
  fileCheckpointName,
  MAX_LINE_BYTES,
} from "../sources/file/file-source.ts";
import { createPageReader } from "../sources/file/read-page.ts";
import { readLoggedCall } from "../sources/segment/raw-log.ts";
import { openPageThreads } from "./page-threads/open.ts";
import type { PageThreadOptions } from "./page-threads/protocol.ts";

export interface BackfillParts {
  readonly ledger: Ledger;
  /** Of a source, by its name. @throws NOT_FOUND */
  readonly partsOf: (source: string) => SourceParts;
  /** Whether a large file may be read and mapped in threads of their own. */
  readonly mayUseThreads: boolean;
  readonly clock: Clock;
  readonly stopping: AbortSignal;
}

export interface SourceIngests {
  readonly everything: Ingest;
  /** Everything of a file: what is old leaves by the historical service. */
  readonly backfill: Ingest;
  /** Takes only what records say of people; null where its events never gain a group by that. */
  readonly memberships: Ingest | null;
}

export interface SourceParts {
  readonly ingests: SourceIngests;
  /** The same, into a rehearsal of the ledger: nobody is told of what they take. */
  readonly rehearsing: (ledger: Pick<Ledger, "lanes" | "commit">) => SourceIngests;
  readonly mapping: MappingSource;
  /** Stops a run before more messages are made; null: no limit. */
  readonly maxEventsPerRun: number | null;
}

/** From here on threads are started for a file: before, it is read in the time they take to start. */
const WORTH_THREADS_BYTES = 2 * 1024 * 1024;
/** Handing over costs by the page; and a thread holds one line at a time, however many there are. */
const LINES_PER_THREAD_PAGE = 500;

export function createBackfillOperation(parts: BackfillParts): Operations["backfill"] {
  const { ledger, partsOf, mayUseThreads, clock, stopping } = parts;
  const running = new Set<string>();
  return async (request, observe, signal) => {
    const { ingests, rehearsing, mapping, maxEventsPerRun } = partsOf(request.source);
    const maxEvents = request.maxEvents ?? maxEventsPerRun;
    await using opened = new AsyncDisposableStack();
    const rehearsal = request.isDryRun ? await ledger.rehearse() : null;
    if (rehearsal) opened.defer(() => rehearsal.close());
    const { backfill: everything, memberships } = rehearsal
      ? rehearsing({ lanes: ledger.lanes, ...rehearsal })
      : ingests;
    const parts = { mapping, lanes: ledger.lanes, receivedAt: clock.now(), mayUseThreads, maxEvents };
    const readsTwice = memberships !== null && request.isInOrder !== true;
    const before = readsTwice ? { ingest: memberships, file: await openFile(request, parts, "statements") } : null;
    const file = await openFile(request, parts);
    if (running.has(file.checkpointName)) {
      throw new PrickleError("USAGE", `${request.path} is being read already for the source ${request.source}.`, {
        hint: "Wait until that is done: prickle status.",
      });
    }
    running.add(file.checkpointName);
    opened.defer(() => void running.delete(file.checkpointName));
    const checkpoint = rehearsal ? async () => null : ledger.checkpoint;
    const waitForDelivery = request.waitForDelivery && !rehearsal;
    const summary = await backfill(
      { file, ingest: everything, memberships: before, ledger: { checkpoint, status: ledger.status }, clock },
      { waitForDelivery, maxEvents, observe, signal: AbortSignal.any([signal, stopping]) },
    );
    return { ...summary, dryRun: rehearsal ? await rehearsal.summary() : null };
  };
}

interface FileParts {
  readonly mapping: MappingSource;
  readonly lanes: number;
  readonly receivedAt: number;
  readonly mayUseThreads: boolean;
  readonly maxEvents: number | null;
}

/** A small file is read on this thread, and mapped by the ingest. */
async function openFile(
  { path, source }: BackfillRequest,
  { mapping, lanes, receivedAt, mayUseThreads, maxEvents }: FileParts,
  only?: "statements",
): Promise<PullSource> {
  const bytes = await stat(path).then(
    ({ size }) => size,
    () => 0, // Why it cannot be read is told when it is.
  );
  const end = only === undefined ? {} : { end: only };
  const pageLines = only === undefined && maxEvents !== null ? pageWithin(maxEvents) : LINES_PER_THREAD_PAGE;
  if (bytes < WORTH_THREADS_BYTES || !mayUseThreads) {
    const options = { path, source, receivedAt, readLine: readLoggedCall, maxLineBytes: MAX_LINE_BYTES };
    return createFileSource({ path, source, read: createPageReader(options), pageLines, ...end });
  }
  const portable = { path, source, receivedAt, mapping: portableMapping(mapping), lanes };
  return readByThreads({ path, source, pageLines, ...end }, only === undefined ? portable : { ...portable, only });
}

/** The threads live as long as the file is read: another reading of it has its own. */
function readByThreads(
  options: Omit<FileSourceOptions, "read" | "pagesAhead">,
  threads: PageThreadOptions,
): PullSource {
  return {
    checkpointName: fileCheckpointName(options),
    async *pages(cursor, signal) {
      const { read, pagesAhead, close } = openPageThreads(threads);
      try {
        yield* createFileSource({ ...options, read, pagesAhead }).pages(cursor, signal);
      } finally {
        await close();
      }
    },
  };
}

/** A run ends between two pages: small ones come closer to the limit. */
function pageWithin(maxEvents: number): number {
  return Math.min(LINES_PER_THREAD_PAGE, Math.max(1, Math.floor(maxEvents / 20)));
}
