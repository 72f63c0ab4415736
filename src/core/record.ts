/** A record is one thing a source told us, not yet interpreted; a rejection is one it told us that we cannot use. */

import type { JsonObject, JsonValue } from "./json.ts";

export interface SourceRecord {
  /** Name of the source in prickle.yaml. */
  readonly source: string;
  /** The source's own id of this record (Segment: messageId). With `source`, what makes it known again. */
  readonly id: string;
  /** When it happened, in ms UTC, clock skew corrected. Becomes the message's timestamp. */
  readonly occurredAt: number;
  /**
   * The time the sender itself stated, in ms UTC: the same on each of its retries, unlike `occurredAt`, which a
   * correction by the time of sending can move. Goes into ids. Null when the sender stated none.
   */
  readonly statedAt: number | null;
  readonly receivedAt: number;
  /** What a mapping reads: for Segment the whole call. Never changed by mapping it. */
  readonly payload: JsonObject;
  /** It said to have happened after it was received, and so counts as having happened then. */
  readonly isTimeCapped?: true;
}

/** What was wrong with a message and put right. Open to additions; each is a label of `prickle_mended_total`. */
export const MEND_REASONS = ["personless", "long_distinct_id", "future_timestamp"] as const;
export type MendReason = (typeof MEND_REASONS)[number];
/** How many messages were mended for each; absent: none. */
export type MendCounts = Readonly<Partial<Record<MendReason, number>>>;

/** Why a record made no message. Open to additions; each is a label of `prickle_rejected_total`. */
export const REJECTION_REASONS = [
  "not_a_call",
  "broken_row",
  "unsupported_type",
  "delete_not_supported",
  "missing_user",
  "missing_event",
  "missing_group_id",
  "invalid_field",
  "call_too_large",
  "batch_too_long",
  "no_rule",
  "mapping_failed",
  "undeclared_group_type",
  "invalid_group_key",
  "unresolved_group_key",
  "alias_collision",
  "illegal_distinct_id",
  "invalid_event_name",
  "message_too_large",
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** A bad record is a value: it travels in results, is kept in the ledger and never blocks its neighbours. */
export interface Rejection {
  readonly source: string;
  /** Null when the sender gave none that could be read. */
  readonly recordId: string | null;
  readonly reason: RejectionReason;
  /** One sentence: where, what was found, what is allowed. */
  readonly detail: string;
  readonly receivedAt: number;
  readonly payload: JsonValue;
}
