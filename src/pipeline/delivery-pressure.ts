/**
 * How much a destination is asked at once: fewer requests in flight while it is busy, more again as it answers; and when
 * it takes nothing, one message at a time until it does.
 */

import type { Clock } from "../core/clock.ts";
import type { DestinationHealth, Outcome } from "../core/destination.ts";
import type { Logger } from "../core/observer.ts";
import { backoffMs } from "../core/retry.ts";
import type { Paces } from "./delivery-pace.ts";

export interface Pressure {
  /** Requests that may be in flight. */
  concurrency(): number;
  /** One message at a time. */
  isProbing(): boolean;
  /** To be called when a request starts; what it gives is told to `noteFailed`. */
  begin(): number;
  /** The destination said of some message what became of it. */
  noteAnswered(): void;
  /** Nothing of a request was taken. */
  noteFailed(failure: Failure, begun: number): void;
  health(): Omit<DestinationHealth, "protocol">;
}

type Failure = Extract<Outcome, { kind: "retry" }>;

export interface PressureDependencies {
  readonly name: string;
  readonly maxConcurrency: number;
  readonly paces: Pick<Paces, "limitTo" | "live">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** Requests that fail one after the other before only single messages are tried. */
const PATIENCE = 5;

export function createPressure(dependencies: PressureDependencies): Pressure {
  const { name, maxConcurrency, paces, clock, random, logger } = dependencies;
  let concurrency = maxConcurrency;
  /** Requests that began before the last halving say nothing new. */
  let halvings = 0;
  let answers = 0;
  let failures = 0;
  let state: DestinationHealth["state"] = "up";
  let reason: string | null = null;

  function setConcurrency(requests: number): void {
    concurrency = Math.min(maxConcurrency, Math.max(1, requests));
    answers = 0;
    paces.limitTo(concurrency);
  }

  function holdBack(failure: Failure): void {
    if (failure.retryAfterMs === undefined) {
      paces.live.pauseUntil(clock.now() + backoffMs(failures - PATIENCE + 1, random()), true);
    }
    const next = failure.cause === "blocked" ? "blocked" : "probing";
    if (next === state) return;
    state = next;
    const fields = { destination: name, reason: failure.reason };
    if (next === "blocked") logger.error(fields, TEXTS[next]);
    else logger.warn(fields, TEXTS[next]);
  }

  return {
    concurrency: () => concurrency,
    isProbing: () => state !== "up",
    begin: () => halvings,

    noteAnswered() {
      if (state !== "up") logger.info({ destination: name }, "The destination takes messages again");
      state = "up";
      failures = 0;
      answers += 1;
      if (answers >= concurrency && concurrency < maxConcurrency) setConcurrency(concurrency + 1);
    },

    noteFailed(failure, begun) {
      failures += 1;
      reason = failure.reason;
      if (failure.cause === "busy" && begun === halvings) {
        halvings += 1;
        setConcurrency(concurrency >>> 1);
      }
      if (failures >= PATIENCE || failure.cause === "blocked") holdBack(failure);
    },

    health() {
      const until = paces.live.pausedUntil();
      const isPaused = until > clock.now();
      return {
        name,
        state,
        reason: state !== "up" || isPaused ? reason : null,
        pausedUntil: isPaused ? until : null,
        concurrency,
        maxConcurrency,
      };
    },
  };
}

const TEXTS = {
  blocked:
    "The destination takes nothing until somebody changes something; nothing is lost, one message at a time is tried",
  probing: "The destination takes nothing; one message at a time is tried until it does",
} as const;
