/** The main thread's end of one thread that reads pages. */

import type { Worker } from "node:worker_threads";
import { PrickleError } from "../../core/errors.ts";
import { createEnding } from "../../platform/worker-thread.ts";
import type { ReadPage } from "../../sources/file/file-source.ts";
import { memoryOf, type PageReply, type PageRequest } from "./protocol.ts";

export interface PageThread {
  /** Those it has to read. */
  pages(): number;
  /** Rejects with INTERNAL when the thread fails, ends or is closed; at once if it did so before. */
  readonly read: ReadPage;
  close(): Promise<void>;
}

interface Waiting {
  resolve(read: Awaited<ReturnType<ReadPage>>): void;
  reject(error: PrickleError): void;
}

/** A page takes milliseconds. */
const END_GRACE_MS = 1_000;

/** `worker` answers as worker.ts does. What it is sent after its end is lost without a word. */
export function createPageThread(worker: Worker): PageThread {
  const waiting = new Map<number, Waiting>();
  let nextId = 0;
  let failure: PrickleError | null = null;
  const send = (request: PageRequest, transferred: readonly ArrayBuffer[]) => worker.postMessage(request, transferred);

  worker.on("message", (reply: PageReply) => {
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ("failure" in reply) return asked?.reject(new PrickleError("INTERNAL", reply.failure));
    const { prepared, skipped, memory } = reply;
    const release = () => {
      const released = memoryOf(prepared);
      send({ released }, released);
    };
    asked?.resolve({ content: { ...prepared, release }, skipped, memory });
  });
  worker.on("error", (thrown) => fail(thrown instanceof Error ? thrown.message : String(thrown)));
  worker.on("messageerror", ({ message }) => fail(message));
  const end = createEnding(worker);
  worker.on("exit", (code) => fail(`a thread that reads pages ended, with code ${code}`));

  /** For good: a thread is not started again. */
  function fail(message: string): void {
    failure ??= new PrickleError("INTERNAL", message);
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  }

  return {
    pages: () => waiting.size,
    read: (page) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure);
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        send({ id, page }, [page.bytes.buffer]);
      }),
    async close() {
      fail("the thread was closed");
      send({ end: true }, []);
      await end(END_GRACE_MS);
    },
  };
}
