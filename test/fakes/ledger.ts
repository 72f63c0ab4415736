/** The outbox of one destination in memory: claim and settle as the port says, on a passed-in clock. */

import type { Clock } from "../../src/core/clock.ts";
import type { Claim, ClaimRequest, Ledger, LedgerStatus, SettleOutcome } from "../../src/core/ledger.ts";
import type { OutboxMessage, OutgoingMessage } from "../../src/core/message.ts";
import { type Service, serviceOfLane } from "../../src/core/service.ts";
import { NO_COUNTS } from "./ledger-status.ts";
import { LANES, toOutbox, uuidIn } from "./outbox.ts";

export interface MemoryLedger extends Pick<Ledger, "claim" | "settle" | "status"> {
  put(messages: readonly OutgoingMessage[]): void;
  readonly delivered: readonly string[];
  readonly dead: readonly { readonly uuid: string; readonly reason: string }[];
  /** The next calls of claim and settle throw this. */
  fail(error: Error, calls: number): void;
}

interface Lane {
  waiting: OutboxMessage[];
  claimId: number | null;
  leaseUntil: number;
  dueAt: number;
  lastFailure: string | null;
}

export function createMemoryLedger(destination: string, clock: Clock): MemoryLedger {
  const lanes = new Map<number, Lane>();
  const claims = new Map<number, readonly OutboxMessage[]>();
  const delivered: string[] = [];
  const dead: { uuid: string; reason: string }[] = [];
  let failing: { error: Error; calls: number } | null = null;
  let seq = 0;
  let nextClaimId = 1;
  let retried = 0;

  function laneOf(number: number): Lane {
    const lane = lanes.get(number) ?? { waiting: [], claimId: null, leaseUntil: 0, dueAt: 0, lastFailure: null };
    lanes.set(number, lane);
    return lane;
  }

  function failIfTold(): void {
    if (!failing || failing.calls === 0) return;
    failing.calls -= 1;
    throw failing.error;
  }

  function claim({ service, maxMessages, maxBytes, leaseMs }: ClaimRequest): Claim | null {
    const messages: OutboxMessage[] = [];
    const id = nextClaimId++;
    let bytes = 0;
    const now = clock.now();
    for (const [number, lane] of lanes) {
      if (serviceOfLane(number, LANES) !== service) continue;
      if (lane.dueAt > now || (lane.claimId !== null && lane.leaseUntil > now)) continue;
      for (const message of lane.waiting) {
        if (messages.length === maxMessages) break;
        if (messages.length > 0 && bytes + message.body.length > maxBytes) break;
        messages.push(message);
        bytes += message.body.length;
        lane.claimId = id;
        lane.leaseUntil = now + leaseMs;
      }
    }
    if (messages.length === 0) return null;
    claims.set(id, messages);
    return { id, messages };
  }

  function settle(id: number, outcomes: readonly SettleOutcome[]): boolean {
    const messages = claims.get(id) ?? [];
    claims.delete(id);
    if (messages.length === 0 || messages.some(({ lane }) => laneOf(lane).claimId !== id)) return false;
    const dueAt = new Map<number, number>();
    for (const [index, message] of messages.entries()) {
      const lane = laneOf(message.lane);
      const at = lane.waiting.indexOf(message);
      const outcome = outcomes[index];
      if (!outcome) throw new Error("an outcome is missing");
      if (outcome.kind === "retry") {
        dueAt.set(message.lane, dueAt.get(message.lane) ?? outcome.dueAt);
        if (outcome.isUntried) continue;
        retried += 1;
        lane.lastFailure = outcome.reason;
        const firstAttemptAt = message.firstAttemptAt ?? clock.now();
        lane.waiting[at] = { ...message, attempts: message.attempts + 1, firstAttemptAt };
        continue;
      }
      lane.waiting.splice(at, 1);
      if (outcome.kind === "delivered") delivered.push(uuidIn(message));
      else dead.push({ uuid: uuidIn(message), reason: outcome.reason });
    }
    for (const { lane } of messages) Object.assign(laneOf(lane), { claimId: null, dueAt: dueAt.get(lane) ?? 0 });
    return true;
  }

  const freeAt = ({ dueAt, claimId, leaseUntil }: Lane) => Math.max(dueAt, claimId === null ? 0 : leaseUntil);

  function depthOf(service: Service): number {
    return [...lanes].reduce(
      (sum, [lane, { waiting }]) => sum + (serviceOfLane(lane, LANES) === service ? waiting.length : 0),
      0,
    );
  }

  const serviceStatus = (depth: number) => ({ depth, oldestCommittedAt: depth > 0 ? 0 : null });

  function status(): LedgerStatus {
    const waiting = [...lanes].filter(([, { waiting: messages }]) => messages.length > 0);
    const depth = waiting.reduce((sum, [, lane]) => sum + lane.waiting.length, 0);
    const mine = {
      name: destination,
      depth,
      oldestCommittedAt: depth > 0 ? 0 : null,
      services: { live: serviceStatus(depthOf("live")), historical: serviceStatus(depthOf("historical")) },
      nextDueAt: depth > 0 ? Math.min(...waiting.map(([, lane]) => freeAt(lane))) : null,
      delivered: delivered.length,
      retried,
      dead: dead.length,
      waitingLanes: waiting.map(([lane, { waiting: messages, lastFailure }]) => ({
        lane,
        service: serviceOfLane(lane, LANES),
        depth: messages.length,
        attempts: messages[0]?.attempts ?? 0,
        lastFailure,
      })),
    };
    return { ...NO_COUNTS, committed: seq, lanes: LANES, destinations: [mine], depth };
  }

  return {
    delivered,
    dead,
    put(messages) {
      for (const message of messages) laneOf(message.lane).waiting.push(toOutbox(message, seq++));
    },
    fail(error, calls) {
      failing = { error, calls };
    },
    claim: async (request) => {
      failIfTold();
      return claim(request);
    },
    settle: async (id, outcomes) => {
      failIfTold();
      return settle(id, outcomes);
    },
    status: async () => status(),
  };
}
