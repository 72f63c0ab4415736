/** From what a destination says to what the ledger is told: when a lane is due again, and which message is given up. */

import type { Clock } from "../core/clock.ts";
import type { Outcome } from "../core/destination.ts";
import type { SettleOutcome } from "../core/ledger.ts";
import type { OutboxMessage } from "../core/message.ts";
import { backoffMs, isPastHorizon } from "../core/retry.ts";
import type { Pace } from "./delivery-pace.ts";
import { CALLED_OFF, PAUSED } from "./delivery-send.ts";
import type { Suspects } from "./delivery-suspects.ts";

export interface VerdictDependencies {
  readonly clock: Clock;
  readonly random: () => number;
  readonly retryHorizonMs: number;
  readonly pace: Pick<Pace, "pausedUntil">;
  readonly suspects: Pick<Suspects, "isGuilty">;
}

/** `outcomes[i]` is for `messages[i]`, in and out. */
export type Decide = (messages: readonly OutboxMessage[], outcomes: readonly Outcome[]) => readonly SettleOutcome[];

export function createVerdict({ clock, random, retryHorizonMs, pace, suspects }: VerdictDependencies): Decide {
  /** Given up only for what it is: too old, and failing while others are delivered. */
  function isGivenUp(message: OutboxMessage): boolean {
    return isPastHorizon(message.firstAttemptAt, clock.now(), retryHorizonMs) && suspects.isGuilty(message);
  }

  function nextAttemptAt(
    { attempts, lane }: OutboxMessage,
    reason: string,
    waits: ReadonlyMap<number, number>,
  ): number {
    const pauseMs = isUntried(reason) ? 0 : backoffMs(attempts + 1, random());
    return Math.max(clock.now() + Math.max(pauseMs, waits.get(lane) ?? 0), pace.pausedUntil());
  }

  return (messages, outcomes) => {
    const dueAt = new Map<number, number>();
    const waits = longestWaits(messages, outcomes);
    return outcomes.map((outcome, index): SettleOutcome => {
      const message = messages[index];
      if ((outcome.kind !== "retry" && outcome.kind !== "later") || !message) return asSettled(outcome);
      const known = dueAt.get(message.lane);
      if (outcome.kind === "later") {
        const at = known ?? clock.now() + outcome.afterMs;
        dueAt.set(message.lane, at);
        return { kind: "retry", reason: outcome.reason, dueAt: at, isUntried: true };
      }
      if (known === undefined && !isUntried(outcome.reason) && isGivenUp(message)) {
        return { kind: "dead", reason: `tried for ${Math.round(retryHorizonMs / 3_600_000)} hours: ${outcome.reason}` };
      }
      const at = known ?? nextAttemptAt(message, outcome.reason, waits);
      dueAt.set(message.lane, at);
      return { kind: "retry", reason: outcome.reason, dueAt: at, isUntried: isUntried(outcome.reason) };
    });
  };
}

/** Lane → for how many ms one of its messages may not be sent again. */
function longestWaits(messages: readonly OutboxMessage[], outcomes: readonly Outcome[]): ReadonlyMap<number, number> {
  const waits = new Map<number, number>();
  for (let index = 0; index < outcomes.length; index++) {
    const outcome = outcomes[index];
    if (outcome?.kind !== "retry" || outcome.afterMs === undefined) continue;
    const lane = messages[index]?.lane ?? -1;
    waits.set(lane, Math.max(waits.get(lane) ?? 0, outcome.afterMs));
  }
  return waits;
}

/** Says nothing about the message. */
function isUntried(reason: string): boolean {
  return reason === CALLED_OFF || reason === PAUSED;
}

function asSettled(outcome: Outcome): SettleOutcome {
  if (outcome.kind === "delivered" || outcome.kind === "dead") return outcome;
  return { kind: "retry", reason: outcome.reason, dueAt: 0 };
}
