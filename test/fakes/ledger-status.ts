/** A ledger in which nothing was counted yet. */

import type { LedgerStatus } from "../../src/core/ledger.ts";

export const NO_COUNTS = {
  committed: 0,
  duplicates: 0,
  saved: 0,
  stale: 0,
  attributed: 0,
  rejected: 0,
  rejectedByReason: {},
  expired: 0,
  sizeBytes: 0,
} as const satisfies Partial<LedgerStatus>;
