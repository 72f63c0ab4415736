/** What backfills count, and how it is added up. */

import type { BackfillCounts } from "../core/operations.ts";
import type { RejectionReason } from "../core/record.ts";
import type { IngestResult } from "./ingest.ts";

export const NOTHING: BackfillCounts = {
  records: 0,
  resumedAt: 0,
  messages: 0,
  duplicates: 0,
  rejected: 0,
  skipped: 0,
  rejectedByReason: {},
  saved: 0,
  stale: 0,
  attributed: 0,
};

/** Of one commit. How many records there were is told by the source. */
export function countsOf(result: IngestResult): BackfillCounts {
  const { messages, duplicates, rejections, saved, stale, attributed } = result;
  const rejectedByReason: Partial<Record<RejectionReason, number>> = {};
  for (const { reason } of rejections) rejectedByReason[reason] = (rejectedByReason[reason] ?? 0) + 1;
  return { ...NOTHING, messages, duplicates, rejected: rejections.length, rejectedByReason, saved, stale, attributed };
}

export function sumOf(all: readonly BackfillCounts[]): BackfillCounts {
  return all.reduce(addCounts, NOTHING);
}

export function addCounts(one: BackfillCounts, other: BackfillCounts): BackfillCounts {
  const reasons = { ...one.rejectedByReason };
  for (const [reason, count] of Object.entries(other.rejectedByReason))
    reasons[reason as RejectionReason] = (reasons[reason as RejectionReason] ?? 0) + count; // A key of the same record.
  return {
    records: one.records + other.records,
    resumedAt: one.resumedAt + other.resumedAt,
    messages: one.messages + other.messages,
    duplicates: one.duplicates + other.duplicates,
    rejected: one.rejected + other.rejected,
    skipped: one.skipped + other.skipped,
    rejectedByReason: reasons,
    saved: one.saved + other.saved,
    stale: one.stale + other.stale,
    attributed: one.attributed + other.attributed,
  };
}
