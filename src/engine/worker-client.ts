/** The main thread's end of the engine's worker: numbered requests, each with its reply. */

import { Worker } from "node:worker_threads";
import { PrickleError } from "../core/errors.ts";
import type { Logger } from "../core/observer.ts";
import { workerFile } from "../platform/worker-thread.ts";
import type { Failure, Reply, RequestKind, Requests, StoreOptions } from "./protocol.ts";

/** What a batch leaves behind dies young; Node would let it grow to 100 MB first. */
const YOUNG_GENERATION_MB = 16;

export interface WorkerClient {
  ask<K extends RequestKind>(kind: K, asks: Requests[K]["asks"]): Promise<Requests[K]["gives"]>;
  close(): Promise<void>;
}

interface Waiting {
  resolve(gives: never): void;
  reject(error: PrickleError): void;
}

/** The worker starts at the first request, and again at the next one if it ever dies. */
export function createWorkerClient(options: StoreOptions, logger: Logger): WorkerClient {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let nextId = 0;
  let closing: Promise<void> | null = null;

  function start(): Worker {
    const started = new Worker(workerFile(new URL("./worker.ts", import.meta.url)), {
      workerData: options,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    started.on("message", settle);
    started.on("error", (thrown) => logger.error({ err: thrown }, "the engine's worker failed"));
    started.on("exit", () => {
      worker = null;
      for (const { reject } of waiting.values()) reject(workerDied());
      waiting.clear();
    });
    return started;
  }

  function settle(reply: Reply): void {
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.ok) asked?.resolve(reply.gives as never);
    else asked?.reject(revive(reply.failure));
  }

  function send<K extends RequestKind>(kind: K, asks: Requests[K]["asks"]): Promise<Requests[K]["gives"]> {
    return new Promise((resolve, reject) => {
      worker ??= start();
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      const transfer = asks !== null && "bytes" in asks ? [asks.bytes.buffer, asks.ends.buffer] : [];
      worker.postMessage({ id, kind, asks }, transfer);
    });
  }

  async function stop(): Promise<void> {
    if (worker === null) return;
    const stopping = worker;
    await send("close", null);
    await stopping.terminate();
  }

  return {
    ask: (kind, asks) => (closing ? Promise.reject(closed()) : send(kind, asks)),
    close: () => (closing ??= stop()),
  };
}

function revive({ code, message, hint }: Failure): PrickleError {
  return new PrickleError(code, message, hint === undefined ? {} : { hint });
}

function workerDied(): PrickleError {
  return new PrickleError("ENGINE_UNAVAILABLE", "The engine's worker stopped before it answered", {
    hint: "Nothing is lost: what was not confirmed is delivered again, and the engine starts anew at the next request.",
  });
}

function closed(): PrickleError {
  return new PrickleError("STOPPING", "The engine is closed", { hint: "Start prickle again." });
}
