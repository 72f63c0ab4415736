/** Worker threads: which file they run, and how they end. */

import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import type { Worker } from "node:worker_threads";

const IS_BUILT = !import.meta.url.endsWith(".ts");

// Node takes the types off by a WebAssembly module that threads share; its calls back to JavaScript, compiled anew after a
// thousand of them while another thread ends, took the process with them, once in some thousand threads (Node 24.21).
if (!IS_BUILT) setFlagsFromString("--wasm-wrapper-tiering-budget=1000000000");

/** The file named by its source, built or not as this one is. */
export function workerFile(source: URL): URL {
  return IS_BUILT ? new URL(source.href.replace(/\.ts$/, ".js")) : source;
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
