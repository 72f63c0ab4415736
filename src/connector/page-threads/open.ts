/**
 * Reads and maps the pages of a file in threads of their own: parsing is what a backfill spends its time on. Where there
 * are two processors or fewer, this thread takes its share too: another one would only cost memory.
 */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { PrickleError } from "../../core/errors.ts";
import { createMemoryPool } from "../../core/memory-pool.ts";
import { workerFile } from "../../platform/worker-thread.ts";
import type { ReadPage } from "../../sources/file/file-source.ts";
import { createPagePreparer } from "./prepare-page.ts";
import { memoryOf, type PageThreadOptions } from "./protocol.ts";
import { createPageThread, type PageThread } from "./thread.ts";

export interface PageThreads {
  /** Pages that keep all threads busy. */
  readonly pagesAhead: number;
  /** Rejects with INTERNAL when a thread fails, or has failed before. */
  readonly read: ReadPage;
  close(): Promise<void>;
}

const MOST_THREADS = 4;
/** One being read, one at hand. */
const PAGES_PER_THREAD = 2;
/** What passes through lives for a moment: a larger nursery would only be more memory. */
const NURSERY_MB = 8;
const MOST_UNUSED = 4;

/** `processors`: how many may be used. */
export function openPageThreads(options: PageThreadOptions, processors = availableParallelism()): PageThreads {
  const threads = Array.from({ length: Math.min(MOST_THREADS, Math.max(1, processors - 1)) }, () =>
    startThread(options),
  );
  const readHere = processors <= 2 ? createReaderHere(options) : null;
  return {
    pagesAhead: threads.length * PAGES_PER_THREAD + 1,
    read(page) {
      const [freest] = threads.toSorted((one, other) => one.pages() - other.pages());
      if (!freest) throw new PrickleError("INTERNAL", "there is no thread");
      return readHere && freest.pages() >= PAGES_PER_THREAD ? readHere(page) : freest.read(page);
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

function startThread(options: PageThreadOptions): PageThread {
  return createPageThread(
    new Worker(workerFile(new URL("./worker.ts", import.meta.url)), {
      workerData: options,
      resourceLimits: { maxYoungGenerationSizeMb: NURSERY_MB },
    }),
  );
}

function createReaderHere(options: PageThreadOptions): ReadPage {
  const pool = createMemoryPool(MOST_UNUSED);
  const prepare = createPagePreparer(options, pool);
  return async (page) => {
    const { prepared, skipped } = prepare(page);
    const release = () => {
      for (const memory of memoryOf(prepared)) pool.give(memory);
    };
    return { content: { ...prepared, release }, skipped, memory: page.bytes.buffer };
  };
}
