/** Reads and maps the pages of a file in threads of their own: parsing is what a backfill spends its time on. */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { PrickleError } from "../../core/errors.ts";
import type { ReadPage } from "../../sources/file/file-source.ts";
import { memoryOf, type PageReply, type PageRequest, type PageThreadOptions } from "./protocol.ts";

export interface PageThreads {
  /** Pages that keep all threads busy. */
  readonly pagesAhead: number;
  /** Rejects with INTERNAL when a thread fails. */
  readonly read: ReadPage;
  close(): Promise<void>;
}

/** The ledger's thread, and those that decompress, want their share too. */
const MOST_THREADS = 4;
const PAGES_PER_THREAD = 2;
/** What passes through lives for a moment: a larger nursery would only be more memory. */
const NURSERY_MB = 8;

interface Waiting {
  resolve(read: Awaited<ReturnType<ReadPage>>): void;
  reject(error: PrickleError): void;
}

export function openPageThreads(options: PageThreadOptions): PageThreads {
  const waiting = new Map<number, Waiting>();
  const threads = Array.from({ length: Math.min(MOST_THREADS, availableParallelism()) }, startThread);
  let nextId = 0;

  function startThread(): Worker {
    const thread = new Worker(workerFile(), {
      workerData: options,
      resourceLimits: { maxYoungGenerationSizeMb: NURSERY_MB },
    });
    thread.on("message", (reply: PageReply) => {
      const asked = waiting.get(reply.id);
      waiting.delete(reply.id);
      if ("failure" in reply) return asked?.reject(new PrickleError("INTERNAL", reply.failure));
      const { prepared, memory } = reply;
      const release = () => {
        const released = memoryOf(prepared);
        send(thread, { released }, released);
      };
      asked?.resolve({ content: { ...prepared, release }, memory });
    });
    thread.on("error", (thrown) => failAll(thrown instanceof Error ? thrown.message : String(thrown)));
    return thread;
  }

  function failAll(message: string): void {
    for (const { reject } of waiting.values()) reject(new PrickleError("INTERNAL", message));
    waiting.clear();
  }

  return {
    pagesAhead: threads.length * PAGES_PER_THREAD,
    read: (page) =>
      new Promise((resolve, reject) => {
        const id = nextId++;
        const thread = threads[id % threads.length];
        if (!thread) return reject(new PrickleError("INTERNAL", "there is no thread"));
        waiting.set(id, { resolve, reject });
        send(thread, { id, page }, [page.bytes.buffer]);
      }),
    async close() {
      await Promise.all(threads.map((thread) => thread.terminate()));
      failAll("the threads were closed");
    },
  };
}

function send(thread: Worker, request: PageRequest, transferred: readonly ArrayBuffer[]): void {
  thread.postMessage(request, transferred);
}

/** Beside this file, and built or not as this file is. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);
}
