/** Which lanes are being delivered by whom. In memory: after a crash every lane is free again. */

import type { ClaimedSlot } from "./protocol.ts";

export interface Lease {
  readonly claimId: number;
  readonly destination: string;
  readonly expiresAt: number;
  /** What was claimed, in order. */
  readonly slots: readonly ClaimedSlot[];
}

export interface Leases {
  /** When a lane's lease ends, ms UTC; 0 when it is free. */
  heldUntil(destination: string, lane: number): number;
  /** Takes lanes; a lease that had run out on one of them is void from now on. */
  take(lease: Omit<Lease, "claimId">): Lease;
  /** Null when the claim was settled, or is void. */
  find(claimId: number): Lease | null;
  release(lease: Lease): void;
}

export function createLeases(): Leases {
  const byClaim = new Map<number, Lease>();
  const byLane = new Map<string, Lease>();
  let lastClaimId = 0;
  const keyOf = (destination: string, lane: number) => `${lane}/${destination}`;

  function release(lease: Lease): void {
    byClaim.delete(lease.claimId);
    for (const lane of lanesOf(lease)) {
      const key = keyOf(lease.destination, lane);
      if (byLane.get(key) === lease) byLane.delete(key);
    }
  }

  return {
    heldUntil: (destination, lane) => byLane.get(keyOf(destination, lane))?.expiresAt ?? 0,
    take(terms) {
      const lease = { ...terms, claimId: ++lastClaimId };
      for (const lane of lanesOf(lease)) {
        const key = keyOf(lease.destination, lane);
        const before = byLane.get(key);
        if (before) release(before);
        byLane.set(key, lease);
      }
      byClaim.set(lease.claimId, lease);
      return lease;
    },
    find: (claimId) => byClaim.get(claimId) ?? null,
    release,
  };
}

function lanesOf({ slots }: Pick<Lease, "slots">): ReadonlySet<number> {
  return new Set(slots.map(({ lane }) => lane));
}
