/** Port: a destination, where messages go. */

import type { OutboxMessage } from "./message.ts";

export interface Destination {
  /** Name in prickle.yaml: the key of its positions in the ledger. */
  readonly name: string;
  readonly limits: DestinationLimits;

  /**
   * Delivers a batch, of one service, and says for each message what became of it: `outcomes[i]` is for `messages[i]`.
   * Delivering a message twice must not make a second event. Failures of the peer are outcomes, not exceptions.
   */
  deliver(messages: readonly OutboxMessage[], signal: AbortSignal): Promise<readonly Outcome[]>;

  /** How it speaks to its peer, such as `v1`; null until that is found out. Absent where there is one way only. */
  protocol?(): string | null;

  close(): Promise<void>;
}

export interface DestinationLimits {
  /** Per batch. */
  readonly maxMessages: number;
  /** Of message bodies per batch, uncompressed. */
  readonly maxBytes: number;
  /** Batches in flight at once, of both services, at most: fewer while the peer is busy. */
  readonly concurrency: number;
  /** Of the live service. Null: no limit. */
  readonly messagesPerSecond: number | null;
  /** Of the historical service. Default: as many again as of the live one. */
  readonly historical?: { readonly messagesPerSecond: number | null };
  readonly requestsPerSecond: number | null;
  /** How long a batch that is not full waits for more, in ms. */
  readonly lingerMs: number;
}

export type Outcome =
  /** `note`: what the peer said although it took the message, in one line. */
  | { readonly kind: "delivered"; readonly note?: string; readonly code?: OutcomeCode }
  /**
   * Not now. `retryAfterMs` is what the peer asked for: it holds back the whole destination; with `isOfRate`, which says
   * that there was too much rather than that something is wrong, one for historical messages lets live ones go on.
   * `afterMs` holds back its lane only: the message may not be sent again before.
   */
  | {
      readonly kind: "retry";
      readonly reason: string;
      readonly retryAfterMs?: number;
      readonly isOfRate?: true;
      readonly afterMs?: number;
      readonly cause?: RetryCause;
    }
  /** It was not sent, which is no attempt: it may go in `afterMs`. Holds back its lane only. */
  | { readonly kind: "later"; readonly reason: string; readonly afterMs: number }
  /** Never: the message is wrong. It goes to the dead letters and its lane moves on. `isUnsent`: the peer was not asked. */
  | { readonly kind: "dead"; readonly reason: string; readonly code?: OutcomeCode; readonly isUnsent?: true };

/** Of a small set, such as `illegal_distinct_id`: what metrics count by. */
export type OutcomeCode = string;

/**
 * `busy`: the peer has too much to do, or did not answer in time, so it is sent fewer requests at once. `blocked`: it
 * takes nothing before a person changes something, such as a token or a bill. `apart`: what failed is a service that only
 * a few messages need; it says nothing of the peer.
 */
export type RetryCause = "busy" | "blocked" | "apart";

/** An earlier message of its lane, or of what it is about, has to wait. */
export const BEHIND: Outcome = { kind: "later", reason: "an earlier message has to arrive first", afterMs: 0 };

export const DELIVERED: Outcome = { kind: "delivered" };

/** How a destination is doing: known to the process that feeds it, and forgotten with it. */
export interface DestinationHealth {
  readonly name: string;
  readonly protocol: string | null;
  /** `probing`: nothing was taken of late, and one message at a time is tried; `blocked`: as well, until a person changes something. */
  readonly state: "up" | "probing" | "blocked";
  /** Why it is not `up`, in one line; null when it is. */
  readonly reason: string | null;
  /** When it is tried next, ms UTC; null: at once. */
  readonly pausedUntil: number | null;
  /** Requests that may be in flight now, and at most. */
  readonly concurrency: number;
  readonly maxConcurrency: number;
}
