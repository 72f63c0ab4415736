/** Worker threads: which file they run, and how they end. */

import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Worker } from "node:worker_threads";

/** The file named by its source, built or not as this one is. */
export function workerFile(source: URL): URL {
  return import.meta.url.endsWith(".ts") ? source : new URL(source.href.replace(/\.ts$/, ".js"));
}

/**
 * To be called when the worker is made. The function it gives waits for at most `graceMs` until the worker, told to, has
 * ended by itself, and terminates it then: one terminated in the middle of native code can take the process with it.
 */
export function createEnding(worker: Worker): (graceMs: number) => Promise<void> {
  const exited = once(worker, "exit").catch(() => undefined); // Its failure is told by "error".
  return async (graceMs) => {
    await Promise.race([exited, delay(graceMs, null, { ref: false })]);
    await worker.terminate();
  };
}
