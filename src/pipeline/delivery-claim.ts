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
import { createSender } from "./delivery-send.ts";
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
  /** Lane → when it may be claimed again; kept up to date here. */
  readonly dueAt: Map<number, number>;
  /** Calls off what is in flight. */
  readonly stopped: AbortSignal;
}

/** Resolves when the claim is settled, or left to its lease because the ledger does not answer. Never rejects. */
export type DeliverClaim = (claim: Claim) => Promise<void>;

/** The share of a lease that sending may take; the rest is for settling. */
const SENDING_SHARE = 0.8;

export function createDeliverClaim(dependencies: ClaimDeliveryDependencies): DeliverClaim {
  const { ledger, destination, observer, logger, clock, random, leaseMs, dueAt, stopped } = dependencies;
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
        logger.error(
          { destination: destination.name, error: toPrickleError(thrown) },
          "Deliveries cannot be noted down",
        );
        if (stopped.aborted || clock.now() >= giveUpAt) return false;
        await clock.sleep(backoffMs(failures, random()), stopped);
      }
    }
  }

  async function sendAll(messages: readonly OutboxMessage[]): Promise<readonly Outcome[]> {
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(leaseMs * SENDING_SHARE)]);
    const sendSome: SendSome = (some) => send(some, signal);
    const outcomes = await sendSome(messages);
    if (!suspects.areSuspect(messages, outcomes)) {
      suspects.noteFailures(messages, outcomes);
      return outcomes;
    }
    const isUp = suspects.isDestinationUp(messages);
    suspects.noteFailures(messages, outcomes);
    const probed = isUp ? outcomes : await probe(messages, outcomes, sendSome, random());
    return isUp || probed !== outcomes ? isolate(messages, probed, sendSome) : outcomes;
  }

  return async ({ id, messages }) => {
    const outcomes = decide(messages, await sendAll(messages));
    if (!(await settle(id, outcomes))) {
      logger.warn({ destination: destination.name, messages: messages.length }, "A claim outlived its lease");
      return;
    }
    const failures = new Map<string, { kind: "retry" | "dead"; reason: string; messages: number }>();
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.kind === "delivered") continue;
      const lane = messages[index]?.lane;
      if (outcome.kind === "retry" && lane !== undefined) dueAt.set(lane, outcome.dueAt);
      const failure = failures.get(outcome.kind + outcome.reason);
      if (failure) failure.messages += 1;
      else failures.set(outcome.kind + outcome.reason, { kind: outcome.kind, reason: outcome.reason, messages: 1 });
    }
    for (const { kind, reason, messages: count } of failures.values()) {
      if (kind === "retry") observer.retried(destination.name, count, reason);
      else observer.died(destination.name, count, reason);
      const text = kind === "retry" ? "Not delivered; trying again later" : "Given up: see `prickle dead list`";
      logger.warn({ destination: destination.name, messages: count, reason }, text);
    }
  };
}
