/** One request to a destination, paced, with every way it can fail made an outcome. */

import type { Clock } from "../core/clock.ts";
import type { Destination, Outcome } from "../core/destination.ts";
import { toPrickleError } from "../core/errors.ts";
import type { OutboxMessage } from "../core/message.ts";
import type { Logger, Observer } from "../core/observer.ts";
import type { Pace } from "./delivery-pace.ts";
import type { Pressure } from "./delivery-pressure.ts";
import type { Suspects } from "./delivery-suspects.ts";

export interface SenderDependencies {
  readonly destination: Destination;
  readonly observer: Observer;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly pressure: Pressure;
  readonly suspects: Suspects;
}

/**
 * `outcomes[i]` is for `messages[i]`. Never rejects. With `isSearch` a message is looked for that makes others fail: that it
 * is found says nothing of the destination.
 */
export type Send = (
  messages: readonly OutboxMessage[],
  signal: AbortSignal,
  isSearch?: boolean,
) => Promise<readonly Outcome[]>;

/** Says nothing about the message: it was not sent, or its answer was not awaited. */
export const CALLED_OFF = "called off: prickle is stopping, or the lease was running out";
export const PAUSED = "the destination asked for a pause";

export function createSender(dependencies: SenderDependencies): Send {
  const { destination, observer, logger, clock, pace, pressure, suspects } = dependencies;
  const { name } = destination;

  async function attempt(
    messages: readonly OutboxMessage[],
    signal: AbortSignal,
    isSearch: boolean,
  ): Promise<readonly Outcome[]> {
    if (signal.aborted) return retryAll(messages, CALLED_OFF);
    if (pace.pausedUntil() > clock.now()) return retryAll(messages, PAUSED);
    const startedAt = clock.now();
    const begun = pressure.begin();
    const outcomes = await deliver(messages, signal);
    pauseIfAsked(outcomes);
    const delivered = countDelivered(outcomes);
    if (outcomes.some(isOfPeer)) pressure.noteAnswered();
    if (!isSearch) noteFailure(outcomes, delivered, begun);
    if (delivered > 0) {
      suspects.noteDelivered();
      if (delivered < messages.length) suspects.noteFailedAmong(messages, outcomes);
      observer.delivered(name, delivered, clock.now() - startedAt);
    } else if (messages.length === 1 && messages[0]) {
      suspects.noteFailedAlone(messages[0]);
    }
    return outcomes;
  }

  async function deliver(messages: readonly OutboxMessage[], signal: AbortSignal): Promise<readonly Outcome[]> {
    try {
      const outcomes = await destination.deliver(messages, signal);
      const isSettled = outcomes.some(({ kind }) => kind === "delivered" || kind === "dead");
      if (signal.aborted && !isSettled) return retryAll(messages, CALLED_OFF);
      if (outcomes.length === messages.length) return outcomes;
      throw new Error(`the destination answered for ${outcomes.length} of ${messages.length} messages`);
    } catch (thrown) {
      if (signal.aborted) return retryAll(messages, CALLED_OFF);
      const error = toPrickleError(thrown);
      logger.error({ destination: name, error }, "The destination failed; trying again");
      return retryAll(messages, error.message);
    }
  }

  function noteFailure(outcomes: readonly Outcome[], delivered: number, begun: number): void {
    if (delivered === outcomes.length) return;
    const failures = outcomes.filter((outcome) => outcome.kind === "retry");
    const failure = failures.find(({ cause, reason }) => cause !== "apart" && reason !== CALLED_OFF);
    if (failure && (delivered === 0 || failure.cause === "busy")) pressure.noteFailed(failure, begun);
  }

  /** Before the next request can start. */
  function pauseIfAsked(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      if (outcome.kind === "retry" && outcome.retryAfterMs !== undefined) {
        pace.pauseUntil(clock.now() + outcome.retryAfterMs, outcome.isOfRate !== true);
        return;
      }
    }
  }

  return (messages, signal, isSearch = false) => pace.run(() => attempt(messages, signal, isSearch));
}

function retryAll(messages: readonly OutboxMessage[], reason: string): readonly Outcome[] {
  return new Array<Outcome>(messages.length).fill({ kind: "retry", reason });
}

/** The destination looked at the message, and is not down. */
function isOfPeer(outcome: Outcome): boolean {
  return outcome.kind === "delivered" || (outcome.kind === "dead" && !outcome.isUnsent);
}

function countDelivered(outcomes: readonly Outcome[]): number {
  let delivered = 0;
  for (const { kind } of outcomes) if (kind === "delivered") delivered += 1;
  return delivered;
}
