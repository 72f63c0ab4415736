/** Runs: each time a source is pulled, from the begin of a sync to its end. */

import type { RejectionReason } from "./record.ts";

/** `full`: every row. `changes`: those that changed in a window. */
export type RunKind = "full" | "changes";

/** What a source says of its run so far. */
export interface RunReport {
  readonly kind: RunKind;
  /** When it began, ms UTC: the same when it goes on after an interruption. */
  readonly startedAt: number;
  /** Times of modification that it covers, ms UTC, both inclusive; null: all. */
  readonly window: { readonly from: number; readonly to: number } | null;
  /** Rows it was given. */
  readonly read: number;
  /** Of those, the ones that said something else than before. */
  readonly changed: number;
  /** Rows that are archived, merged away or gone. */
  readonly removed: number;
  /** Requests made, repetitions included. */
  readonly requests: number;
  /** What an operator should know, each once. */
  readonly warnings: readonly string[];
}

export interface Run extends RunReport {
  readonly source: string;
  /** ms UTC; null while it goes on, or when prickle was killed in it. */
  readonly endedAt: number | null;
  /** Times it was begun again after an interruption. */
  readonly resumed: number;
  readonly messages: number;
  /** Rows that changed nothing of what is to be sent. */
  readonly saved: number;
  readonly rejected: Readonly<Partial<Record<RejectionReason, number>>>;
  /** `partial`: it goes on with the next run. `failed`: something has to be done first. Null while it goes on. */
  readonly outcome: "complete" | "partial" | "failed" | null;
  /** Why it ended, in one sentence; null when it is complete. */
  readonly reason: string | null;
}

export interface RunFilter {
  readonly source?: string | undefined;
  readonly limit: number;
}

/** As a run begins. */
export const EMPTY_RUN = {
  window: null,
  read: 0,
  changed: 0,
  removed: 0,
  requests: 0,
  warnings: [],
  endedAt: null,
  resumed: 0,
  messages: 0,
  saved: 0,
  rejected: {},
  outcome: null,
  reason: null,
} as const satisfies Omit<Run, "source" | "kind" | "startedAt">;
