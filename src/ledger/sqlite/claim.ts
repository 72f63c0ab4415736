/** Takes what is due from free lanes. Reads only: leases are in memory. */

import type { ClaimRequest } from "../../core/ledger.ts";
import { FRAME_HEAD_BYTES, frameStarts } from "./frames.ts";
import type { Leases } from "./leases.ts";
import type { Outbox, Run } from "./outbox.ts";
import type { Position, Positions } from "./positions.ts";
import type { ClaimedSlot, ClaimReply } from "./protocol.ts";

export interface ClaimDependencies {
  readonly outbox: Outbox;
  readonly positions: Positions;
  readonly leases: Leases;
}

export type TakeClaim = (request: ClaimRequest, now: number) => ClaimReply | null;

export function createTakeClaim({ outbox, positions, leases }: ClaimDependencies): TakeClaim {
  /** Lane to begin with, by destination: each claim goes on where the one before ended, so that no lane starves. */
  const turns = new Map<string, number>();

  function isDue(destination: string, lane: number, now: number): boolean {
    const { depth, notBefore } = positions.of(destination, lane);
    return depth > 0 && notBefore <= now && leases.heldUntil(destination, lane) <= now;
  }

  return (request, now) => {
    const { destination, leaseMs } = request;
    const first = turns.get(destination) ?? 0;
    const basket = createBasket(request);
    for (let step = 0; step < positions.lanes && !basket.isFull; step++) {
      const lane = (first + step) % positions.lanes;
      if (!isDue(destination, lane, now)) continue;
      turns.set(destination, (lane + 1) % positions.lanes);
      const position = positions.of(destination, lane);
      for (const run of outbox.runsFrom(lane, position.next)) {
        if (run.onlyDestination === null || run.onlyDestination === destination) basket.fill(run, position);
        if (basket.isFull) break;
      }
    }
    if (basket.messages.length === 0) return null;
    const lease = leases.take({ destination, expiresAt: now + leaseMs, messages: basket.messages });
    return { id: lease.claimId, bytes: new Uint8Array(Buffer.concat(basket.parts)), slots: basket.slots };
  };
}

interface Basket {
  readonly messages: { lane: number; seq: number }[];
  readonly slots: ClaimedSlot[];
  readonly parts: Uint8Array[];
  isFull: boolean;
  /** Puts in what of the run is not settled yet, as far as it fits. */
  fill(run: Run, position: Position): void;
}

function createBasket({ maxMessages, maxBytes }: ClaimRequest): Basket {
  let bytes = 0;
  const basket: Basket = {
    messages: [],
    slots: [],
    parts: [],
    isFull: false,
    fill({ lane, firstSeq, count, frames }, { next, settledAhead, failed }) {
      const starts = frameStarts(frames);
      for (let index = Math.max(0, next - firstSeq); index < count; index++) {
        const seq = firstSeq + index;
        if (settledAhead.has(seq)) continue;
        const start = starts[index] ?? 0;
        const end = starts[index + 1] ?? 0;
        bytes += end - start - FRAME_HEAD_BYTES;
        basket.isFull = basket.messages.length >= maxMessages || (bytes > maxBytes && basket.messages.length > 0);
        if (basket.isFull) return;
        basket.messages.push({ lane, seq });
        basket.parts.push(frames.subarray(start, end));
        const { attempts = 0, firstAttemptAt = null } = failed.get(seq) ?? {};
        addSlot(basket.slots, { lane, firstSeq: seq, count: 1, attempts, firstAttemptAt });
      }
    },
  };
  return basket;
}

function addSlot(slots: ClaimedSlot[], slot: ClaimedSlot): void {
  const last = slots.at(-1);
  const continues =
    last?.lane === slot.lane &&
    last.firstSeq + last.count === slot.firstSeq &&
    last.attempts === slot.attempts &&
    last.firstAttemptAt === slot.firstAttemptAt;
  if (last && continues) slots[slots.length - 1] = { ...last, count: last.count + 1 };
  else slots.push(slot);
}
