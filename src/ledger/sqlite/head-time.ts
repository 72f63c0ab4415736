/** When the next message of a lane was committed. */

import type { Outbox } from "./outbox.ts";

/** ms UTC; null when nothing from `next` on is for the destination. */
export function headTime(outbox: Outbox, destination: string, lane: number, next: number): number | null {
  for (const { firstSeq, count, onlyDestination, committedAt } of outbox.headsFrom(lane, next)) {
    if (firstSeq + count > next && (onlyDestination ?? destination) === destination) return committedAt;
  }
  return null;
}
