/** What became of records and messages, as far as it is remembered: record, rule, messages, attempts, answers. */

import type { Became } from "./attribution/step.ts";
import type { KeptRejection } from "./ledger.ts";

/** No id is longer. */
export const MOST_ID_CHARACTERS = 10_000;

export interface TraceQuery {
  /** A message's uuid, or a record's id as its source has it. */
  readonly id: string;
}

export interface Trace {
  /** In the order in which they were committed. Several: sources may use one id, and one may be used again. */
  readonly records: readonly TracedRecord[];
  /** Of records with this id, or those above, that were refused, as a whole or in part. */
  readonly rejections: readonly KeptRejection[];
  /** Dead letters kept of messages with this uuid, when nothing else is remembered of them. */
  readonly deadLetters: readonly number[];
  /** Whether records were taken whose first message has this uuid. */
  readonly isSeen: boolean;
  readonly memory: TraceMemory;
}

/** How far back it goes, and what is missing. */
export interface TraceMemory {
  readonly isOn: boolean;
  /** ms UTC of the first that is remembered; null: nothing is. */
  readonly since: number | null;
  /** prickle ended without a word, or could not write: what happened just before `from` may be missing. */
  readonly gaps: readonly { readonly from: number; readonly until: number | null }[];
}

export interface TracedRecord {
  readonly source: string;
  /** Null: of a message that came without its record's origin. */
  readonly id: string | null;
  readonly occurredAt: number | null;
  readonly receivedAt: number | null;
  /** ms UTC; null: only that it came again is remembered. */
  readonly committedAt: number | null;
  /** Of the mapping; null: none wanted it, or that is not known. */
  readonly rule: string | null;
  /** When it came again and was left out, ms UTC. */
  readonly repeatedAt: readonly number[];
  readonly outputs: readonly TracedOutput[];
}

/** What a record made: a message, or what could have been one. */
export interface TracedOutput {
  readonly uuid: string;
  readonly became: Became;
  /** Name of the event; null of what made no message. */
  readonly event: string | null;
  readonly distinctId: string | null;
  /** Of a message about a group; its key is null where it could not be found out. */
  readonly group: { readonly groupType: string; readonly groupKey: string | null } | null;
  /** Groups the event gained by what was known of its person. */
  readonly gained: Readonly<Record<string, string>>;
  /** When it was made, ms UTC: later than its record where it waited for an alias. */
  readonly madeAt: number;
  readonly lane: number | null;
  readonly seq: number | null;
  readonly deliveries: readonly TracedDelivery[];
}

export interface TracedDelivery {
  readonly destination: string;
  readonly steps: readonly TracedStep[];
  readonly state: TracedState;
}

/** `answer` is what the destination said; empty: nothing worth keeping. */
export type TracedStep =
  | {
      readonly kind: "delivered" | "dead";
      readonly at: number;
      readonly attempt: number;
      readonly answer: string;
    }
  | {
      readonly kind: "retry";
      readonly at: number;
      readonly attempt: number;
      readonly answer: string;
      readonly dueAt: number | null;
    }
  /** It was not sent, and is no attempt: why, and when it may be. */
  | { readonly kind: "held"; readonly at: number; readonly answer: string; readonly dueAt: number | null }
  /** With another text: what it is for this destination from then on; absent where that is not remembered. */
  | {
      readonly kind: "replayed";
      readonly at: number;
      readonly isEdited: boolean;
      readonly event?: string;
      readonly distinctId?: string;
    }
  /** The dead letter was forgotten: by an operator, or by its age. */
  | { readonly kind: "dropped" | "expired"; readonly at: number };

export type TracedState =
  | { readonly kind: "delivered"; readonly at: number }
  /** `place` 1: it is the next of its lane. `notBefore`: ms UTC, null when the lane may be tried at once. */
  | { readonly kind: "waiting"; readonly place: number; readonly notBefore: number | null }
  | { readonly kind: "dead"; readonly deadLetter: number }
  | { readonly kind: "forgotten"; readonly at: number }
  /** The destination is past it, since then if that is known; how, nobody remembers. */
  | { readonly kind: "passed"; readonly at: number | null };
