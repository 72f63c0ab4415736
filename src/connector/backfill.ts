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
import { createFileSource, MAX_LINE_BYTES } from "../sources/file/file-source.ts";
import { createPageReader } from "../sources/file/read-page.ts";
import { readLoggedCall } from "../sources/segment/raw-log.ts";
import { openPageThreads } from "./page-threads/open.ts";

export interface BackfillParts {
  readonly ledger: Ledger;
  /** Of a source, by its name. @throws NOT_FOUND */
  readonly partsOf: (source: string) => { readonly ingest: Ingest; readonly mapping: MappingSource };
  /** Whether a large file may be read and mapped in threads of their own. */
  readonly mayUseThreads: boolean;
  readonly clock: Clock;
  readonly stopping: AbortSignal;
}

/** From here on threads are started for a file: before, it is read in the time they take to start. */
const WORTH_THREADS_BYTES = 2 * 1024 * 1024;
/** Handing over costs by the page; and a thread holds one line at a time, however many there are. */
const LINES_PER_THREAD_PAGE = 500;

export function createBackfillOperation(parts: BackfillParts): Operations["backfill"] {
  const { ledger, partsOf, mayUseThreads, clock, stopping } = parts;
  const running = new Set<string>();
  return async (request, observe, signal) => {
    const { ingest, mapping } = partsOf(request.source);
    await using opened = new AsyncDisposableStack();
    const file = await openFile(request, {
      mapping,
      lanes: ledger.lanes,
      receivedAt: clock.now(),
      mayUseThreads,
      opened,
    });
    if (running.has(file.checkpointName)) {
      throw new PrickleError("USAGE", `${request.path} is being read already for the source ${request.source}.`, {
        hint: "Wait until that is done: prickle status.",
      });
    }
    running.add(file.checkpointName);
    opened.defer(() => void running.delete(file.checkpointName));
    return await backfill(
      { file, ingest, ledger, clock },
      { waitForDelivery: request.waitForDelivery, observe, signal: AbortSignal.any([signal, stopping]) },
    );
  };
}

interface FileParts {
  readonly mapping: MappingSource;
  readonly lanes: number;
  readonly receivedAt: number;
  readonly mayUseThreads: boolean;
  /** Closes what is opened for the file. */
  readonly opened: AsyncDisposableStack;
}

/** A small file is read on this thread, and mapped by the ingest. */
async function openFile(
  { path, source }: BackfillRequest,
  { mapping, lanes, receivedAt, mayUseThreads, opened }: FileParts,
): Promise<PullSource> {
  const bytes = await stat(path).then(
    ({ size }) => size,
    () => 0, // Why it cannot be read is told when it is.
  );
  if (bytes < WORTH_THREADS_BYTES || !mayUseThreads) {
    const options = { path, source, receivedAt, readLine: readLoggedCall, maxLineBytes: MAX_LINE_BYTES };
    return createFileSource({ path, source, read: createPageReader(options) });
  }
  const threads = openPageThreads({ path, source, receivedAt, mapping: portableMapping(mapping), lanes });
  opened.defer(() => threads.close());
  return createFileSource({
    path,
    source,
    read: threads.read,
    pagesAhead: threads.pagesAhead,
    pageLines: LINES_PER_THREAD_PAGE,
  });
}
