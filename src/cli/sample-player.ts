/** Sends the shipped sample through a running prickle's own doors, and waits until all of it is delivered. */

import { Pool } from "undici";
import type { Clock } from "../core/clock.ts";
import { PrickleError } from "../core/errors.ts";
import type { Ledger, LedgerStatus } from "../core/ledger.ts";
import { SAMPLE_DOORS, type Sample, type Shipment } from "./sample-shipment.ts";

export interface PlaySampleOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Calls answered so far. */
  readonly onProgress: (calls: number) => void;
}

export interface Played {
  readonly requests: number;
  /** Requests made again because prickle asked to. */
  readonly retries: number;
  readonly tookMs: number;
}

const MAX_ATTEMPTS = 20;
const RETRY_WAIT_MS = 1000;
const LOOK_EVERY_MS = 100;
const PATIENCE_MS = 60_000;

/**
 * Sends both doors' shipments side by side, each door's in order, and resolves when all are answered.
 * @throws SERVER_UNREACHABLE when a request fails or is asked to wait too often, INTERNAL when one is refused, STOPPING on abort.
 */
export async function playSample(
  { shipments }: Sample,
  { url, clock, signal, onProgress }: PlaySampleOptions,
): Promise<Played> {
  const startedAt = clock.now();
  const pool = new Pool(url, { connections: SAMPLE_DOORS.length });
  let calls = 0;
  let requests = 0;
  let retries = 0;
  const sendAll = async (door: readonly Shipment[]) => {
    for (const shipment of door) {
      const tries = await send(pool, shipment, clock, signal);
      retries += tries - 1;
      requests += 1;
      calls += shipment.calls;
      onProgress(calls);
    }
  };
  try {
    await Promise.all(SAMPLE_DOORS.map((door) => sendAll(shipments[door])));
  } finally {
    await pool.destroy();
  }
  return { requests, retries, tookMs: clock.now() - startedAt };
}

/**
 * Resolves with the status once nothing waits in the outbox.
 * @throws ENGINE_UNAVAILABLE when for a minute nothing moves, STOPPING on abort.
 */
export async function waitUntilDelivered(
  operations: Pick<Ledger, "status">,
  { clock, signal, onProgress }: Pick<PlaySampleOptions, "clock" | "signal"> & { onProgress: (depth: number) => void },
): Promise<LedgerStatus> {
  let smallest = Number.POSITIVE_INFINITY;
  let movedAt = clock.now();
  for (;;) {
    const status = await operations.status();
    if (status.depth === 0) return status;
    if (signal.aborted) throw stopped();
    if (status.depth < smallest) [smallest, movedAt] = [status.depth, clock.now()];
    if (clock.now() - movedAt > PATIENCE_MS) throw stuck(status);
    onProgress(status.depth);
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

/** Returns how many attempts it took. */
async function send(pool: Pool, { path, headers, body }: Shipment, clock: Clock, signal: AbortSignal): Promise<number> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    if (signal.aborted) throw stopped();
    const { statusCode, headers: answered, body: answer } = await pool.request({ path, method: "POST", headers, body });
    const text = await answer.text();
    if (statusCode < 300) return attempt;
    if (statusCode !== 503 && statusCode !== 429) {
      throw new PrickleError("INTERNAL", `${path} answered ${statusCode}: ${text.slice(0, 300)}`);
    }
    const seconds = Number(answered["retry-after"]);
    await clock.sleep(seconds > 0 ? seconds * 1000 : RETRY_WAIT_MS, signal);
  }
  throw new PrickleError("SERVER_UNREACHABLE", `${path} asked to try again ${MAX_ATTEMPTS} times.`, {
    hint: "`prickle status` shows what the outbox waits for.",
  });
}

function stopped(): PrickleError {
  return new PrickleError("STOPPING", "Stopped before the sample was through.", {
    hint: "Nothing is lost or counted twice: start again.",
  });
}

function stuck({ depth, destinations }: LedgerStatus): PrickleError {
  const failure = destinations.flatMap(({ waitingLanes }) => waitingLanes.flatMap((lane) => lane.lastFailure ?? []))[0];
  return new PrickleError("ENGINE_UNAVAILABLE", `${depth} messages wait and none was delivered for a minute.`, {
    hint: failure ? `The last failure was: ${failure}` : "`prickle status` shows which lanes wait.",
  });
}
