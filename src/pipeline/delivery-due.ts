/** When lanes that wait are due again: what is known of them without asking the ledger each time. */

import type { DestinationStatus } from "../core/ledger.ts";

export interface DueTimes {
  /** Lane → when it may be claimed again, ms UTC. */
  readonly lanes: Map<number, number>;
  /** Asks the ledger for the lanes an earlier process left to wait. */
  look(): Promise<void>;
  /** Nothing was to be had at that time: to wait for what was due then would be to ask without a pause. */
  forgetDueBy(at: number): Promise<void>;
  /** ms UTC; infinite when nothing is known to wait. */
  next(): number;
}

/** `position`: how the destination stands. */
export function createDueTimes(position: () => Promise<DestinationStatus | undefined>): DueTimes {
  const lanes = new Map<number, number>();
  /** When the first of the lanes is due that an earlier process left to wait; which it is the ledger does not say. */
  let lookAgainAt = Number.POSITIVE_INFINITY;

  async function look(): Promise<void> {
    const mine = await position().catch(() => undefined);
    lookAgainAt = mine?.nextDueAt ?? Number.POSITIVE_INFINITY;
  }

  return {
    lanes,
    look,
    async forgetDueBy(at) {
      for (const [lane, dueAt] of lanes) if (dueAt <= at) lanes.delete(lane);
      if (lookAgainAt <= at) await look();
      if (lookAgainAt <= at) lookAgainAt = Number.POSITIVE_INFINITY;
    },
    next: () => Math.min(lookAgainAt, ...lanes.values()),
  };
}
