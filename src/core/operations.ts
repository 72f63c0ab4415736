/**
 * Port: what an operator can ask of a running prickle. The connector implements it; the server offers it over HTTP and
 * the CLI speaks to either, so that a command works while `serve` runs on the data directory and when it does not.
 * Every input and output is plain JSON.
 */

import type { GroupPage, GroupsQuery, GroupType, Trends, TrendsQuery } from "./analytics.ts";
import type { DeadLetter, DeadLetterFilter, DeadLetterPage, EditedDeadLetter } from "./dead-letter.ts";
import type { DestinationHealth } from "./destination.ts";
import type { GroupKnowledge, GroupKnowledgeQuery, KeysReport } from "./group-knowledge.ts";
import type { KeptRejection, LedgerStatus } from "./ledger.ts";
import type { RejectionReason } from "./record.ts";
import type { RehearsalSummary } from "./rehearsal.ts";
import type { Run, RunFilter } from "./runs.ts";
import type { PullProgress } from "./source.ts";
import type { Trace, TraceQuery } from "./trace.ts";
import type { VerifyProgress, VerifyReport, VerifyRequest } from "./verification.ts";

export interface PrickleStatus extends LedgerStatus {
  /** Of each destination that this process feeds; none where nothing is delivered. */
  readonly health: readonly DestinationHealth[];
}

export interface Operations {
  status(): Promise<PrickleStatus>;
  groupTypes(): Promise<readonly GroupType[]>;
  groups(query: GroupsQuery): Promise<GroupPage>;
  trends(query: TrendsQuery): Promise<Trends>;
  /** What the ledger knows of a group; null: nothing. */
  group(query: GroupKnowledgeQuery): Promise<GroupKnowledge | null>;
  keys(query: { readonly limit: number }): Promise<KeysReport>;
  listDeadLetters(filter: DeadLetterFilter & DeadLetterPage): Promise<readonly DeadLetter[]>;
  countDeadLetters(filter: DeadLetterFilter): Promise<number>;
  replayDeadLetters(filter: DeadLetterFilter): Promise<number>;
  /** Gives null, so that it can be told over HTTP. */
  replayEdited(letter: EditedDeadLetter): Promise<null>;
  dropDeadLetters(filter: DeadLetterFilter): Promise<number>;
  trace(query: TraceQuery): Promise<Trace>;
  listRejections(filter: { readonly limit: number }): Promise<readonly KeptRejection[]>;
  sources(): Promise<readonly SourceStatus[]>;
  /** Newest first. */
  runs(filter: RunFilter): Promise<readonly Run[]>;
  /**
   * Asks a source for what is new, from its checkpoint on; resolves when all of it is on disk, or it was stopped.
   * @throws NOT_FOUND, USAGE when it is being asked already, SOURCE_UNAVAILABLE, SOURCE_LIMITED, SOURCE_REFUSED, SOURCE_CHANGED
   */
  sync(request: SyncRequest, observe: (run: Run) => void, signal: AbortSignal): Promise<SyncSummary>;
  /** Begins the same and does not wait for it: how it ends is in its run and the log. */
  startSync(request: SyncRequest): Promise<{ readonly source: string }>;
  /**
   * Compares the groups a destination was sent with those it shows.
   * @throws NOT_FOUND, USAGE, CONFIG_INVALID when it cannot be asked; what fails later makes the report an unfinished one
   */
  verify(
    request: VerifyRequest,
    observe: (progress: VerifyProgress) => void,
    signal: AbortSignal,
  ): Promise<VerifyReport>;
  /** Reads each file from its checkpoint on; resolves when the end of all is committed, and delivered if asked to wait for that. */
  backfill(
    request: BackfillRequest,
    observe: (progress: BackfillProgress) => void,
    signal: AbortSignal,
  ): Promise<BackfillSummary>;
}

export interface SyncRequest {
  /** Name of a source in the configuration that is asked. */
  readonly source: string;
  /** All rows, although only those that changed are due. */
  readonly isFull?: boolean | undefined;
  /** Those modified from then on, ms UTC, whatever is known of them. */
  readonly since?: number | undefined;
  /** Nothing is kept: only what it would come to is told. Rows that are gone cannot be told then. */
  readonly isDryRun?: boolean | undefined;
  /** Resolve only when every destination has what was in the outbox when the sync ended. */
  readonly waitForDelivery?: boolean | undefined;
  /** That many rows are gone is right. */
  readonly acceptsRemovals?: boolean | undefined;
  /** Stops before more messages than this are made; the next run goes on. */
  readonly maxEvents?: number | undefined;
}

export interface SyncSummary {
  readonly run: Run;
  /** What it would come to; null when it was no dry run. */
  readonly dryRun: RehearsalSummary | null;
}

export interface SourceStatus {
  readonly name: string;
  /** As in the configuration. */
  readonly type: string;
  /** File of its mapping. */
  readonly mapping: string;
  /** Null: it is asked only when somebody says so, or it calls by itself. */
  readonly schedule: {
    readonly cron: string;
    readonly timeZone: string;
    /** ms UTC, jitter left out. */
    readonly nextRuns: readonly number[];
  } | null;
  readonly isRunning: boolean;
  readonly lastRun: Run | null;
  /** When the last run began that got to its end, ms UTC; null: none did of those that are kept. */
  readonly lastCompleteAt: number | null;
  /** Rows that are live as far as it is known; null for a source that holds none. */
  readonly rows: number | null;
}

export interface BackfillRequest {
  /** Absolute paths of files and folders, as the process that reads them sees them. Folders and zip files are looked into. */
  readonly paths: readonly string[];
  /** Name of a source: gives the mapping and goes into ids. */
  readonly source: string;
  /** A shipped mapping or an absolute path: what the source has to be mapped by. Default: by whatever it is. */
  readonly mapping?: string | undefined;
  /** Resolve only when every destination has what was in the outbox when the files ended. */
  readonly waitForDelivery: boolean;
  /** The files are in the order of time: what they say of people need not be read before the rest. */
  readonly isInOrder?: boolean | undefined;
  /** Nothing is kept: only what it would come to is told. */
  readonly isDryRun?: boolean | undefined;
  /** Stops before more messages than this are made; the next run goes on. */
  readonly maxEvents?: number | undefined;
  /** Takes in at most so many records a second. */
  readonly perSecond?: number | undefined;
  /** Leaves out what happened before, ms UTC; and from `to` on. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** What rows are: `segment`, `hubspot`, `salesforce` or `rows`. Default: as the first record looks. */
  readonly form?: string | undefined;
  /** Names of the columns that tell a row's id and time. Default: the first of those that usually do. */
  readonly idColumn?: string | undefined;
  readonly timeColumn?: string | undefined;
  /** Of times that name none, such as `Europe/Berlin`. Default: UTC. */
  readonly zone?: string | undefined;
  /** Of text. Default: as the bytes look. */
  readonly encoding?: string | undefined;
}

export interface BackfillProgress extends PullProgress {
  /** `memberships`: what the files say of people is read, before everything. */
  readonly phase: "memberships" | "reading" | "delivering";
  readonly file: BackfillPlace;
  readonly messages: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly skipped: number;
  /** Messages that still wait for the slowest destination. */
  readonly depth: number;
}

export interface BackfillPlace {
  /** From 1. */
  readonly number: number;
  readonly of: number;
  readonly path: string;
  /** What it was found to be, and how it is read: one sentence. */
  readonly about: string;
}

export interface BackfillCounts {
  readonly records: number;
  /** Records already done by an earlier run, by its checkpoint. */
  readonly resumedAt: number;
  readonly messages: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** Records that happened before `from`, or at `to` or later. */
  readonly skipped: number;
  readonly rejectedByReason: Readonly<Partial<Record<RejectionReason, number>>>;
  /** Group identifies that had nothing new, properties that were older than what is known, events that gained a group. */
  readonly saved: number;
  readonly stale: number;
  readonly attributed: number;
}

export interface BackfilledFile extends BackfillCounts {
  readonly path: string;
  readonly about: string;
  /** The newest stands first: its history leaves in that order. */
  readonly timesFall: boolean;
}

/** Of all files together. */
export interface BackfillSummary extends BackfillCounts {
  /** Those read to their end, and the one it stopped in. */
  readonly files: readonly BackfilledFile[];
  /** What was found and is no data. */
  readonly leftOut: readonly { readonly path: string; readonly why: string }[];
  readonly tookMs: number;
  /** False when it was stopped before the end; the next run resumes. */
  readonly complete: boolean;
  /** What it would come to; null when it was no dry run. */
  readonly dryRun: RehearsalSummary | null;
  /** It was stopped because it would have made more messages than `maxEvents`. */
  readonly reachedLimit: boolean;
}
