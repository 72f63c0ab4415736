/**
 * Reads and maps the pages of a file in threads of their own: parsing is what a backfill spends its time on. Where there
 * are two processors or fewer, this thread takes its share too: another one would only cost memory.
 */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { PrickleError } from "../../core/errors.ts";
import { createMemoryPool } from "../../core/memory-pool.ts";
import type { ReadPage } from "../../sources/file/file-source.ts";
import { createPagePreparer } from "./prepare-page.ts";
import { memoryOf, type PageReply, type PageRequest, type PageThreadOptions } from "./protocol.ts";

export interface PageThreads {
  /** Pages that keep all threads busy. */
  readonly pagesAhead: number;
  /** Rejects with INTERNAL when a thread fails. */
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

interface PageThread {
  /** Those it has to read. */
  pages(): number;
  readonly read: ReadPage;
  close(): Promise<void>;
}

interface Waiting {
  resolve(read: Awaited<ReturnType<ReadPage>>): void;
  reject(error: PrickleError): void;
}

function startThread(options: PageThreadOptions): PageThread {
  const waiting = new Map<number, Waiting>();
  const worker = new Worker(workerFile(), {
    workerData: options,
    resourceLimits: { maxYoungGenerationSizeMb: NURSERY_MB },
  });
  let nextId = 0;
  const send = (request: PageRequest, transferred: readonly ArrayBuffer[]) => worker.postMessage(request, transferred);

  worker.on("message", (reply: PageReply) => {
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ("failure" in reply) return asked?.reject(new PrickleError("INTERNAL", reply.failure));
    const { prepared, memory } = reply;
    const release = () => {
      const released = memoryOf(prepared);
      send({ released }, released);
    };
    asked?.resolve({ content: { ...prepared, release }, memory });
  });
  worker.on("error", (thrown) => failAll(thrown instanceof Error ? thrown.message : String(thrown)));

  function failAll(message: string): void {
    for (const { reject } of waiting.values()) reject(new PrickleError("INTERNAL", message));
    waiting.clear();
  }

  return {
    pages: () => waiting.size,
    read: (page) =>
      new Promise((resolve, reject) => {
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        send({ id, page }, [page.bytes.buffer]);
      }),
    async close() {
      await worker.terminate();
      failAll("the thread was closed");
    },
  };
}

function createReaderHere(options: PageThreadOptions): ReadPage {
  const pool = createMemoryPool(MOST_UNUSED);
  const prepare = createPagePreparer(options, pool);
  return async (page) => {
    const prepared = prepare(page);
    const release = () => {
      for (const memory of memoryOf(prepared)) pool.give(memory);
    };
    return { content: { ...prepared, release }, memory: page.bytes.buffer };
  };
}

/** Beside this file, and built or not as this file is. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);
}
