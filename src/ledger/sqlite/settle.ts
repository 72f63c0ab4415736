/** Records what became of a claim. Runs inside the worker's transaction. */

import type { SettleOutcome } from "../../core/ledger.ts";
import { groupPropertiesIn } from "../../core/message.ts";
import { FRAME_HEAD_BYTES } from "../../core/parcel.ts";
import { uuidTextAt } from "../../core/uuid.ts";
import type { Counters } from "./counters.ts";
import type { DeadLetters } from "./dead-letters/dead-letters.ts";
import { frameStarts } from "./frames.ts";
import type { StoredKnowledge } from "./knowledge/knowledge.ts";
import type { Lease, Leases } from "./leases.ts";
import type { Outbox } from "./outbox.ts";
import type { Passages } from "./passages.ts";
import type { Position, Positions } from "./positions.ts";
import type { SettleRequest } from "./protocol.ts";
import type { Journal } from "./trace/journal.ts";
import { writeSettle } from "./trace/settle-entry.ts";

export interface SettleDependencies {
  readonly outbox: Outbox;
  readonly positions: Positions;
  readonly leases: Leases;
  readonly deadLetters: DeadLetters;
  readonly counters: Counters;
  readonly passages: Pick<Passages, "add">;
  readonly knowledge: Pick<StoredKnowledge, "groups">;
  readonly journal: Journal;
}

/** Where a frame has its uuid. */
const UUID_AT = 4;

/** Gives the lease to release once the transaction is on disk; null when the claim is void. */
export type SettleClaim = (request: SettleRequest, now: number) => Lease | null;

export function createSettleClaim({
  outbox,
  positions,
  leases,
  deadLetters,
  counters,
  passages,
  knowledge,
  journal,
}: SettleDependencies): SettleClaim {
  /** A retry sets the lane's time and keeps the first of its messages the next to be claimed. */
  function retry(
    position: Position,
    seq: number,
    { reason, dueAt, isUntried }: Extract<SettleOutcome, { kind: "retry" }>,
    now: number,
    isFirst: boolean,
  ): void {
    if (isFirst) position.notBefore = dueAt;
    if (isUntried) return;
    const { attempts, firstAttemptAt } = position.failed.get(seq) ?? { attempts: 0, firstAttemptAt: now };
    position.failed.set(seq, { attempts: attempts + 1, firstAttemptAt });
    if (isFirst) position.lastFailure = reason;
  }

  function bury(destination: string, lane: number, seq: number, reason: string, now: number): void {
    const { attempts, firstAttemptAt } = positions.of(destination, lane).failed.get(seq) ?? {
      attempts: 0,
      firstAttemptAt: now,
    };
    for (const { firstSeq, frames } of outbox.runsFrom(lane, seq)) {
      const starts = frameStarts(frames);
      const start = starts[seq - firstSeq] ?? 0;
      const body = frames.subarray(start + FRAME_HEAD_BYTES, starts[seq - firstSeq + 1]);
      const uuid = uuidTextAt(frames, start + UUID_AT);
      oweWhatDied(destination, body, knowledge);
      deadLetters.add({ destination, uuid, lane, reason, attempts: attempts + 1, firstAttemptAt, diedAt: now, body });
      return;
    }
  }

  function settleLane(
    lease: Lease,
    lane: number,
    stretches: readonly LaneStretch[],
    { exceptional, now }: { readonly exceptional: ReadonlyMap<number, SettleOutcome>; readonly now: number },
  ): void {
    const { destination } = lease;
    const position = positions.of(destination, lane);
    let firstRetry: number | null = null;
    let delivered = 0;
    let end = position.next;
    for (const { firstSeq, count, index } of stretches) {
      end = firstSeq + count;
      for (let seq = firstSeq; seq < end; seq++) {
        const outcome = exceptional.size > 0 ? exceptional.get(index + seq - firstSeq) : undefined;
        if (outcome?.kind === "retry") {
          retry(position, seq, outcome, now, firstRetry === null);
          firstRetry ??= seq;
          if (!outcome.isUntried) counters.add(`retried:${destination}`, 1);
          continue;
        }
        if (outcome?.kind === "dead") bury(destination, lane, seq, outcome.reason, now);
        else delivered += 1;
        position.failed.delete(seq);
        position.depth -= 1;
        if (firstRetry !== null) position.settledAhead.add(seq);
      }
    }
    counters.add(`delivered:${destination}`, delivered);
    advance(position, firstRetry ?? end);
    if (firstRetry === null) {
      position.notBefore = 0;
      position.lastFailure = null;
    }
    positions.moved(destination, lane);
    passages.add(destination, lane, position.next, now);
  }

  return ({ claimId, exceptions }, now) => {
    const lease = leases.find(claimId);
    if (!lease) return null;
    const exceptional = new Map(exceptions);
    const byLane = new Map<number, LaneStretch[]>();
    let index = 0;
    for (const { lane, firstSeq, count } of lease.slots) {
      const stretches = byLane.get(lane) ?? [];
      byLane.set(lane, stretches);
      stretches.push({ firstSeq, count, index });
      index += count;
    }
    for (const [lane, stretches] of byLane) settleLane(lease, lane, stretches, { exceptional, now });
    const { destination, slots } = lease;
    journal.add("settle", now, (out) => writeSettle({ destination, slots, exceptions }, out));
    return lease;
  };
}

/** Messages of one lane, and the place of their first in the claim. */
interface LaneStretch {
  readonly firstSeq: number;
  readonly count: number;
  readonly index: number;
}

/** Of a group whose properties never arrive the next difference says them again. */
function oweWhatDied(destination: string, body: Buffer, { groups }: Pick<StoredKnowledge, "groups">): void {
  const said = groupPropertiesIn(body.toString());
  if (said) groups.markUnsent({ ...said, destination }, said.names);
}

/** Moves to `next`, then past what is settled already. */
function advance(position: Position, next: number): void {
  position.next = next;
  while (position.settledAhead.delete(position.next)) position.next += 1;
  for (const seq of position.settledAhead) if (seq < position.next) position.settledAhead.delete(seq);
}
