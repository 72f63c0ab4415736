/** What the ledger holds, for people. */

import type { DestinationStatus, LaneStatus, LedgerStatus, ServiceStatus } from "../../core/ledger.ts";
import type { RejectionReason } from "../../core/record.ts";
import { firstLaneOf, type Service } from "../../core/service.ts";
import type { Counters } from "./counters.ts";
import type { DeadLetters } from "./dead-letters/dead-letters.ts";
import { headTime } from "./head-time.ts";
import type { Leases } from "./leases.ts";
import type { Outbox } from "./outbox.ts";
import type { Positions } from "./positions.ts";

export interface StatusDependencies {
  readonly outbox: Outbox;
  readonly positions: Positions;
  readonly leases: Leases;
  readonly counters: Counters;
  readonly deadLetters: DeadLetters;
  readonly sizeBytes: () => number;
}

export function readStatus(dependencies: StatusDependencies): LedgerStatus {
  const { positions, counters, sizeBytes } = dependencies;
  const rejectedByReason: Partial<Record<RejectionReason, number>> = counters.withPrefix("rejected:");
  return {
    lanes: positions.lanes,
    destinations: positions.destinations.map((name) => destinationStatus(name, dependencies)),
    depth: positions.depth(),
    committed: counters.get("committed"),
    duplicates: counters.get("duplicates"),
    saved: counters.get("saved"),
    stale: counters.get("stale"),
    attributed: counters.get("attributed"),
    rejected: Object.values(rejectedByReason).reduce((sum, records) => sum + records, 0),
    rejectedByReason,
    expired: counters.get("expired"),
    sizeBytes: sizeBytes(),
  };
}

function destinationStatus(name: string, dependencies: StatusDependencies): DestinationStatus {
  const { positions, counters, deadLetters } = dependencies;
  const live = waitingOf(name, "live", dependencies);
  const historical = waitingOf(name, "historical", dependencies);
  return {
    name,
    depth: positions.depthOf(name),
    oldestCommittedAt: earlier(live.oldestCommittedAt, historical.oldestCommittedAt),
    nextDueAt: earlier(live.nextDueAt, historical.nextDueAt),
    services: { live: live.status, historical: historical.status },
    delivered: counters.get(`delivered:${name}`),
    retried: counters.get(`retried:${name}`),
    dead: deadLetters.count(name),
    waitingLanes: [...live.waitingLanes, ...historical.waitingLanes],
  };
}

function waitingOf(name: string, service: Service, { outbox, positions, leases }: StatusDependencies) {
  const waitingLanes: LaneStatus[] = [];
  let waiting = 0;
  let oldestCommittedAt: number | null = null;
  let nextDueAt: number | null = null;
  const first = firstLaneOf(service, positions.lanes);
  for (let lane = first; lane < first + positions.lanes; lane++) {
    const { depth, next, notBefore, lastFailure, failed } = positions.of(name, lane);
    if (depth === 0) continue;
    waiting += depth;
    waitingLanes.push({ lane, service, depth, attempts: failed.get(next)?.attempts ?? 0, lastFailure });
    nextDueAt = earlier(nextDueAt, Math.max(notBefore, leases.heldUntil(name, lane)));
    oldestCommittedAt = earlier(oldestCommittedAt, headTime(outbox, name, lane, next));
  }
  const status: ServiceStatus = { depth: waiting, oldestCommittedAt };
  return { status, oldestCommittedAt, nextDueAt, waitingLanes };
}

function earlier(known: number | null, found: number | null): number | null {
  return known === null || found === null ? (known ?? found) : Math.min(known, found);
}
