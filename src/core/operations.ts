/**
 * Port: what an operator can ask of a running prickle. The connector implements it; the server offers it over HTTP and
 * the CLI speaks to either, so that a command works while `serve` runs on the data directory and when it does not.
 * Every input and output is plain JSON.
 */

import type { GroupPage, GroupsQuery, GroupType, Trends, TrendsQuery } from "./analytics.ts";
import type { DeadLetter, DeadLetterFilter, KeptRejection, LedgerStatus } from "./ledger.ts";
import type { RejectionReason } from "./record.ts";
import type { PullProgress } from "./source.ts";

export interface Operations {
  status(): Promise<LedgerStatus>;
  groupTypes(): Promise<readonly GroupType[]>;
  groups(query: GroupsQuery): Promise<GroupPage>;
  trends(query: TrendsQuery): Promise<Trends>;
  listDeadLetters(filter: DeadLetterFilter): Promise<readonly DeadLetter[]>;
  replayDeadLetters(filter: DeadLetterFilter): Promise<number>;
  dropDeadLetters(filter: DeadLetterFilter): Promise<number>;
  listRejections(filter: { readonly limit: number }): Promise<readonly KeptRejection[]>;
  /** Reads the file from its checkpoint on; resolves when its end is committed, and delivered if asked to wait for that. */
  backfill(
    request: BackfillRequest,
    observe: (progress: BackfillProgress) => void,
    signal: AbortSignal,
  ): Promise<BackfillSummary>;
}

export interface BackfillRequest {
  /** Absolute path, as the process that reads it sees it. */
  readonly path: string;
  /** Name of a source in the configuration: gives the mapping and goes into ids. */
  readonly source: string;
  /** Resolve only when every destination has what was in the outbox when the file ended. */
  readonly waitForDelivery: boolean;
}

export interface BackfillProgress extends PullProgress {
  readonly phase: "reading" | "delivering";
  readonly messages: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** Messages that still wait for the slowest destination. */
  readonly depth: number;
}

export interface BackfillSummary {
  readonly records: number;
  /** Records already done by an earlier run, by its checkpoint. */
  readonly resumedAt: number;
  readonly messages: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly rejectedByReason: Readonly<Partial<Record<RejectionReason, number>>>;
  readonly tookMs: number;
  /** False when it was stopped before the end; the next run resumes. */
  readonly complete: boolean;
}
