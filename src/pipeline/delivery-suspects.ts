/**
 * Tells a message that fails from a destination that is down: what fails while others are delivered is suspect. Kept
 * in memory; after a restart a message has to become suspect again.
 */

import type { Outcome } from "../core/destination.ts";
import type { OutboxMessage } from "../core/message.ts";

export interface Suspects {
  /** Something was delivered: the destination is up. */
  noteDelivered(): void;
  /** True when everything failed, and not for the first times: either the destination is down or one of them is wrong. */
  areSuspect(messages: readonly OutboxMessage[], outcomes: readonly Outcome[]): boolean;
  /** True when something was delivered since one of them failed before. */
  isDestinationUp(messages: readonly OutboxMessage[]): boolean;
  /** To be called once per claim. */
  noteFailures(messages: readonly OutboxMessage[], outcomes: readonly Outcome[]): void;
  noteFailedAlone(message: OutboxMessage): void;
  /** To be called when others of them were delivered: the first that failed of each lane failed alone. */
  noteFailedAmong(messages: readonly OutboxMessage[], outcomes: readonly Outcome[]): void;
  /** True when it failed alone, time and again, with others delivered in between: it must be the message. */
  isGuilty(message: OutboxMessage): boolean;
}

/** Failed attempts before a batch is taken apart. */
const PATIENCE = 2;
const LONE_FAILURES = 3;

export function createSuspects(): Suspects {
  let deliveries = 0;
  /** Lane → `deliveries` when its head failed last. */
  const failedAt = new Map<number, number>();
  const alone = new Map<number, { readonly seq: number; readonly times: number; readonly deliveries: number }>();

  function noteFailedAlone({ lane, seq }: OutboxMessage): void {
    const before = alone.get(lane);
    if (before?.seq !== seq) alone.set(lane, { seq, times: 1, deliveries });
    else if (before.deliveries < deliveries) alone.set(lane, { seq, times: before.times + 1, deliveries });
  }

  return {
    noteDelivered() {
      deliveries += 1;
    },

    areSuspect(messages, outcomes) {
      for (const { kind } of outcomes) if (kind !== "retry") return false;
      return messages.length > 1 && messages.some(({ attempts }) => attempts >= PATIENCE);
    },

    isDestinationUp(messages) {
      return messages.some(({ lane }) => (failedAt.get(lane) ?? deliveries) < deliveries);
    },

    noteFailures(messages, outcomes) {
      for (let index = 0; index < messages.length; index++) {
        const lane = messages[index]?.lane ?? -1;
        if (outcomes[index]?.kind === "retry") failedAt.set(lane, deliveries);
        else if (failedAt.size > 0) failedAt.delete(lane);
      }
    },

    noteFailedAlone,

    noteFailedAmong(messages, outcomes) {
      const lanes = new Set<number>();
      for (let index = 0; index < messages.length; index++) {
        const message = messages[index];
        if (outcomes[index]?.kind !== "retry" || !message || lanes.has(message.lane)) continue;
        lanes.add(message.lane);
        noteFailedAlone(message);
      }
    },

    isGuilty({ lane, seq }) {
      const lone = alone.get(lane);
      return lone?.seq === seq && lone.times >= LONE_FAILURES;
    },
  };
}
