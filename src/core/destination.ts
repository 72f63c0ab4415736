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

  close(): Promise<void>;
}

export interface DestinationLimits {
  /** Per batch. */
  readonly maxMessages: number;
  /** Of message bodies per batch, uncompressed. */
  readonly maxBytes: number;
  /** Batches in flight at once, of both services. */
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
  | { readonly kind: "delivered" }
  /**
   * Not now. `retryAfterMs` is what the peer asked for: it holds back the whole destination; with `isOfRate`, which says
   * that there was too much rather than that something is wrong, one for historical messages lets live ones go on.
   */
  | { readonly kind: "retry"; readonly reason: string; readonly retryAfterMs?: number; readonly isOfRate?: true }
  /** Never: the message is wrong. It goes to the dead letters and its lane moves on. */
  | { readonly kind: "dead"; readonly reason: string };

export const DELIVERED: Outcome = { kind: "delivered" };
