/** The main thread's end of the ledger's worker: numbered requests, each with its reply. */

import { Worker } from "node:worker_threads";
import type { Clock } from "../../core/clock.ts";
import { PrickleError } from "../../core/errors.ts";
import type { Logger } from "../../core/observer.ts";
import { createEnding, workerFile } from "../../platform/worker-thread.ts";
import type { Failure, Reply, Request, RequestKind, Requests, StoreOptions } from "./protocol.ts";

export interface WorkerClient {
  /** @throws LEDGER_UNAVAILABLE when the worker died or was closed, and what the ledger throws. */
  ask<K extends RequestKind>(kind: K, asks: Requests[K]["asks"]): Promise<Requests[K]["gives"]>;
  close(): Promise<void>;
}

interface Waiting {
  resolve(gives: never): void;
  reject(error: PrickleError): void;
}

/** What passes through the worker lives for a moment: a larger nursery would only be more memory. */
const NURSERY_MB = 12;
const END_GRACE_MS = 2_000;

/** The worker is never started again: what it had under way when it died is not known. */
export function startWorker(options: StoreOptions, clock: Pick<Clock, "now">, logger: Logger): WorkerClient {
  const waiting = new Map<number, Waiting>();
  const worker = new Worker(workerFile(new URL("./worker.ts", import.meta.url)), {
    workerData: options,
    resourceLimits: { maxYoungGenerationSizeMb: NURSERY_MB },
  });
  let nextId = 0;
  let isGone = false;
  let closing: Promise<void> | null = null;

  worker.on("message", (reply: Reply) => {
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.ok)
      asked?.resolve(reply.gives as never); // The reply to a request is of its kind.
    else asked?.reject(revive(reply.failure));
  });
  worker.on("error", (thrown) =>
    logger.error({ err: thrown }, "The ledger's worker failed; prickle must be started again"),
  );
  const end = createEnding(worker);
  worker.on("exit", () => {
    isGone = true;
    for (const { reject } of waiting.values()) reject(gone());
    waiting.clear();
  });

  function send<K extends RequestKind>(kind: K, asks: Requests[K]["asks"]): Promise<Requests[K]["gives"]> {
    return new Promise((resolve, reject) => {
      if (isGone) return reject(gone());
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      const request = { kind, asks, id, now: clock.now() };
      worker.postMessage(request, transferred(request as Request)); // As `kind` and `asks` belong together.
    });
  }

  async function stop(): Promise<void> {
    if (isGone) return;
    const isClosed = await send("close", null).then(
      () => true,
      () => false,
    );
    await end(isClosed ? END_GRACE_MS : 0);
  }

  return {
    ask: (kind, asks) => (closing ? Promise.reject(closed()) : send(kind, asks)),
    close: () => {
      closing ??= stop();
      return closing;
    },
  };
}

function transferred(request: Request): ArrayBuffer[] {
  if (request.kind === "commit" || request.kind === "rehearse") return [request.asks.bytes.buffer];
  return request.kind === "settle" && request.asks.memory ? [request.asks.memory] : [];
}

function revive({ code, message, hint, retryAfterMs }: Failure): PrickleError {
  return new PrickleError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function gone(): PrickleError {
  return new PrickleError("LEDGER_UNAVAILABLE", "The ledger's worker stopped.", {
    hint: "What was not confirmed may or may not be stored; senders come again. Start prickle again.",
  });
}

function closed(): PrickleError {
  return new PrickleError("LEDGER_UNAVAILABLE", "The ledger is closed.", { hint: "Start prickle again." });
}
