/** What happens to one claim: it is sent, the culprit looked for if it keeps failing alone, and settled. */

import type { Clock } from "../core/clock.ts";
import type { Destination, Outcome } from "../core/destination.ts";
import { toPrickleError } from "../core/errors.ts";
import type { Claim, Ledger, SettleOutcome } from "../core/ledger.ts";
import type { OutboxMessage } from "../core/message.ts";
import type { Logger, Observer } from "../core/observer.ts";
import { backoffMs } from "../core/retry.ts";
import { isolate, probe, type SendSome } from "./delivery-isolation.ts";
import type { Pace } from "./delivery-pace.ts";
import type { Pressure } from "./delivery-pressure.ts";
import { createSender } from "./delivery-send.ts";
import { summarize } from "./delivery-summary.ts";
import { createSuspects } from "./delivery-suspects.ts";
import { createVerdict } from "./delivery-verdict.ts";

export interface ClaimDeliveryDependencies {
  readonly ledger: Pick<Ledger, "settle">;
  readonly destination: Destination;
  readonly observer: Observer;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  readonly leaseMs: number;
  readonly retryHorizonMs: number;
  readonly pace: Pace;
  readonly pressure: Pressure;
  /** Lane → when it may be claimed again; kept up to date here. */
  readonly dueAt: Map<number, number>;
  /** Calls off what is in flight. */
  readonly stopped: AbortSignal;
}

/** Resolves when the claim is settled, or left to its lease because the ledger does not answer. Never rejects. */
export type DeliverClaim = (claim: Claim) => Promise<void>;

/** The share of a lease that sending may take; the rest is for settling. */
const SENDING_SHARE = 0.8;
const SENT = "sent";

export function createDeliverClaim(dependencies: ClaimDeliveryDependencies): DeliverClaim {
  const { ledger, destination, observer, logger, clock, random, leaseMs, dueAt, stopped } = dependencies;
  const { name } = destination;
  const suspects = createSuspects();
  const send = createSender({ ...dependencies, suspects });
  const decide = createVerdict({ ...dependencies, suspects });

  /** Tries again until the lease must have run out: then the messages are delivered once more, which is harmless. */
  async function settle(id: number, outcomes: readonly SettleOutcome[]): Promise<boolean> {
    const giveUpAt = clock.now() + leaseMs;
    for (let failures = 1; ; failures++) {
      try {
        return await ledger.settle(id, outcomes);
      } catch (thrown) {
        logger.error({ destination: name, error: toPrickleError(thrown) }, "Deliveries cannot be noted down");
        if (stopped.aborted || clock.now() >= giveUpAt) return false;
        await clock.sleep(backoffMs(failures, random()), stopped);
      }
    }
  }

  async function sendAll(messages: readonly OutboxMessage[], signal: AbortSignal): Promise<readonly Outcome[]> {
    const sendSome: SendSome = (some) => send(some, signal, true);
    const outcomes = await send(messages, signal);
    const isSuspect = suspects.areSuspect(messages, outcomes);
    const isUp = suspects.isDestinationUp(messages);
    suspects.noteFailures(messages, outcomes);
    if (!isSuspect) return outcomes;
    const probed = isUp ? outcomes : await probe(messages, outcomes, sendSome, random());
    return isUp || probed !== outcomes ? isolate(messages, probed, sendSome) : outcomes;
  }

  function report(messages: readonly OutboxMessage[], outcomes: readonly SettleOutcome[]): void {
    for (let index = 0; index < outcomes.length; index++) {
      const [lane, outcome] = [messages[index]?.lane, outcomes[index]];
      if (outcome?.kind === "retry" && lane !== undefined) dueAt.set(lane, outcome.dueAt);
    }
    for (const { kind, reason, code, count } of summarize(outcomes)) {
      const fields = { destination: name, messages: count, reason };
      if (kind === "delivered") {
        observer.noted(name, count, code);
        logger.info(fields, "Delivered, with a note");
      } else if (kind === "dead") {
        observer.died(name, count, reason, code);
        logger.warn(fields, "Given up: see `prickle dead list`");
      } else {
        observer.retried(name, count, reason);
        logger.warn(fields, "Not delivered; trying again later");
      }
    }
  }

  return async ({ id, messages }) => {
    const ended = new AbortController();
    const calledOff = new AbortController();
    const callOff = () => calledOff.abort();
    stopped.addEventListener("abort", callOff, { signal: ended.signal });
    if (stopped.aborted) callOff();
    void clock.sleep(leaseMs * SENDING_SHARE, ended.signal).then(() => {
      if (!ended.signal.aborted) callOff(); // Else it would make an error, too.
    });

    const outcomes = decide(messages, await sendAll(messages, calledOff.signal));
    ended.abort(SENT); // A reason: without one it would make an error that nobody looks at.
    if (await settle(id, outcomes)) report(messages, outcomes);
    else logger.warn({ destination: name, messages: messages.length }, "A claim outlived its lease");
  };
}
