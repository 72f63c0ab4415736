/** Takes what is due from free lanes. Reads only: leases are in memory. */

import { PrickleError } from "../../core/errors.ts";
import type { ClaimRequest } from "../../core/ledger.ts";
import { FRAME_HEAD_BYTES } from "../../core/parcel.ts";
import { firstLaneOf } from "../../core/service.ts";
import { createClaimMemory } from "./claim-memory.ts";
import { headTime } from "./head-time.ts";
import type { Leases } from "./leases.ts";
import type { Outbox, Run, RunHead } from "./outbox.ts";
import type { Failures, Position, Positions } from "./positions.ts";
import type { ClaimedSlot, ClaimReply } from "./protocol.ts";

export interface ClaimDependencies {
  readonly outbox: Outbox;
  readonly positions: Positions;
  readonly leases: Leases;
}

export interface Claims {
  /** @throws LEDGER_UNAVAILABLE for a lane that cannot be read, which then waits: the next claim goes on without it. */
  take(request: ClaimRequest, now: number): ClaimReply | null;
  /** Memory of a claim that came back. */
  reuse(memory: ArrayBuffer): void;
}

/** Between attempts to read a lane that could not be read. */
const UNREADABLE_WAIT_MS = 60_000;

export function createClaims({ outbox, positions, leases }: ClaimDependencies): Claims {
  /** Live lane to begin with, by destination: each claim goes on where the one before ended, so that no lane starves. */
  const turns = new Map<string, number>();

  function isDue(destination: string, lane: number, now: number): boolean {
    const { depth, notBefore } = positions.of(destination, lane);
    return depth > 0 && notBefore <= now && leases.heldUntil(destination, lane) <= now;
  }

  const memory = createClaimMemory();

  function take(request: ClaimRequest, now: number): ClaimReply | null {
    const { destination, service, leaseMs } = request;
    memory.clear();
    const basket = createBasket(request);
    for (const lane of service === "live" ? liveLanes(destination, now) : historicalLanes(destination, now)) {
      fillFrom(lane, destination, basket, now);
      if (basket.isFull) break;
    }
    const { slots } = basket;
    if (slots.length === 0) return null;
    const { claimId } = leases.take({ destination, expiresAt: now + leaseMs, slots });
    return { id: claimId, bytes: memory.handOver(), slots };
  }

  /** Those that are due, in turn. */
  function* liveLanes(destination: string, now: number): Iterable<number> {
    const first = turns.get(destination) ?? 0;
    for (let step = 0; step < positions.lanes; step++) {
      const lane = (first + step) % positions.lanes;
      if (!isDue(destination, lane, now)) continue;
      turns.set(destination, (lane + 1) % positions.lanes);
      yield lane;
    }
  }

  /** Those that are due, the one that is furthest behind first: so history leaves about as old as it came. */
  function historicalLanes(destination: string, now: number): readonly number[] {
    const due: { readonly lane: number; readonly committedAt: number }[] = [];
    const first = firstLaneOf("historical", positions.lanes);
    for (let lane = first; lane < first + positions.lanes; lane++) {
      if (!isDue(destination, lane, now)) continue;
      due.push({ lane, committedAt: headTime(outbox, destination, lane, positions.of(destination, lane).next) ?? 0 });
    }
    return due.sort((one, other) => one.committedAt - other.committedAt).map(({ lane }) => lane);
  }

  /** A lane that cannot be read must not keep the others from going on: it waits, and the next claim goes on without it. */
  function fillFrom(lane: number, destination: string, basket: Basket, now: number): void {
    const position = positions.of(destination, lane);
    try {
      const wants = (run: RunHead) => isFor(destination, run) && isWaiting(position, run);
      for (const run of outbox.runsFrom(lane, position.next, { wants, room: memory.room })) {
        memory.keep(basket.fill(run, position));
        if (basket.isFull) break;
      }
    } catch (thrown) {
      const unreadable = laneUnreadable(lane, thrown);
      position.notBefore = now + UNREADABLE_WAIT_MS;
      position.lastFailure = unreadable.message;
      throw unreadable;
    }
  }

  return { take, reuse: memory.reuse };
}

function isFor(destination: string, { onlyDestination }: RunHead): boolean {
  return onlyDestination === null || onlyDestination === destination;
}

/** Behind a message that waits for days thousands of runs may be settled: they are not read again each time it is tried. */
function isWaiting({ next, settledAhead }: Position, { firstSeq, count }: RunHead): boolean {
  if (settledAhead.size === 0) return true;
  for (let seq = Math.max(firstSeq, next); seq < firstSeq + count; seq++) if (!settledAhead.has(seq)) return true;
  return false;
}

function laneUnreadable(lane: number, cause: unknown): PrickleError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PrickleError("LEDGER_UNAVAILABLE", `Lane ${lane} of the outbox cannot be read: ${why}.`, {
    hint: "The other lanes go on. Look at the disk; restore the data directory as a whole from a backup.",
    cause,
  });
}

interface Basket {
  readonly slots: readonly ClaimedSlot[];
  readonly isFull: boolean;
  /** Puts in what of the run is not settled yet, as far as it fits, and gives its bytes: they then come first in the run's. */
  fill(run: Run, position: Position): number;
}

function createBasket({ maxMessages, maxBytes }: ClaimRequest): Basket {
  const slots: Writable<ClaimedSlot>[] = [];
  let messages = 0;
  let bytes = 0;
  let isFull = false;

  /** False when it is one too many; the first always fits. */
  function fits(size: number): boolean {
    if (messages >= maxMessages || (messages > 0 && bytes + size > maxBytes)) return false;
    messages += 1;
    bytes += size;
    return true;
  }

  function addSlot(lane: number, seq: number, failures: Failures | undefined): void {
    const attempts = failures?.attempts ?? 0;
    const firstAttemptAt = failures?.firstAttemptAt ?? null;
    const last = slots.at(-1);
    const continues =
      last?.lane === lane &&
      last.firstSeq + last.count === seq &&
      last.attempts === attempts &&
      last.firstAttemptAt === firstAttemptAt;
    if (last && continues) last.count += 1;
    else slots.push({ lane, firstSeq: seq, count: 1, attempts, firstAttemptAt });
  }

  return {
    slots,
    get isFull() {
      return isFull;
    },
    fill({ lane, firstSeq, count, frames }, { next, settledAhead, failed }) {
      let at = 0;
      /** Where what is put in begins, as far as it was not moved to what was put in before it, which ends at `kept`. */
      let from = 0;
      let kept = 0;
      const move = () => {
        if (from > kept) frames.copyWithin(kept, from, at);
        kept += at - from;
      };
      for (let seq = firstSeq; seq < firstSeq + count; seq++) {
        const size = frames.readUInt32LE(at);
        const isWanted = seq >= next && !settledAhead.has(seq);
        isFull = isWanted && !fits(size);
        if (isFull) break;
        const end = at + FRAME_HEAD_BYTES + size;
        if (isWanted) addSlot(lane, seq, failed.get(seq));
        else {
          move();
          from = end;
        }
        at = end;
      }
      move();
      return kept;
    },
  };
}

type Writable<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] };
