/** What the main thread and the ledger's worker say to each other. */

import type { RulesBySource } from "../../core/attribution/rules.ts";
import type { DeadLetter, DeadLetterFilter, EditedDeadLetter } from "../../core/dead-letter.ts";
import type { EditProblem } from "../../core/edited-message.ts";
import type { ErrorCode } from "../../core/errors.ts";
import type {
  GroupKnowledge,
  GroupKnowledgeQuery,
  GroupRepair,
  HeldGroup,
  HeldGroupsQuery,
  KeysReport,
  RepairCounts,
} from "../../core/group-knowledge.ts";
import type { RememberedGroup } from "../../core/group-memory.ts";
import type { ClaimRequest, CommitResult, KeptRejection, LedgerStatus, SettleOutcome } from "../../core/ledger.ts";
import type { RehearsalSummary } from "../../core/rehearsal.ts";
import type { KnownRow, RowCount, UnseenQuery } from "../../core/rows.ts";
import type { Run, RunFilter } from "../../core/runs.ts";
import type { JournalFile } from "./trace/journal-files.ts";
import type { Standings, StandingsQuery } from "./trace/standings.ts";

export interface StoreOptions {
  readonly directory: string;
  readonly destinations: readonly string[];
  readonly maxDepth: number;
  readonly seenDays: number;
  /** Used when the ledger is created; an older one keeps its own. */
  readonly lanes: number;
  readonly segmentBytes: number;
  readonly groupRules: RulesBySource;
  /** Null, or absent: dead letters are kept until somebody decides. */
  readonly deadLetterDays?: number | null;
  /** Of the journal by which messages are traced; without bytes there is none. */
  readonly traceBytes?: number;
  readonly traceDays?: number;
}

/** Several commits in one buffer (see frames.ts), stored in one transaction. */
export interface GroupRequest {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface GroupReply {
  /** One for each commit of the group, in order. */
  readonly replies: readonly CommitReply[];
  /** The group's memory, handed back. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export type CommitReply = CommitResult | Failure;

export interface SettleRequest {
  readonly claimId: number;
  /** Index into the claim's messages and what became of it; those not named were delivered without a word. */
  readonly exceptions: readonly (readonly [index: number, outcome: SettleOutcome])[];
  /** Of the claim, handed back; null when it was before. */
  readonly memory: ArrayBuffer | null;
}

/** The frames of the claimed messages, end to end, and whose they are. */
export interface ClaimReply {
  readonly id: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly slots: readonly ClaimedSlot[];
}

/** `count` messages of consecutive seqs that share a past. */
export interface ClaimedSlot {
  readonly lane: number;
  readonly firstSeq: number;
  readonly count: number;
  readonly attempts: number;
  readonly firstAttemptAt: number | null;
}

export interface RepairRequest {
  readonly destination: string;
  readonly groups: readonly GroupRepair[];
}

export interface PruneSlice {
  /** Where the next slice begins; null when this was the last. */
  readonly after: Uint8Array | null;
  readonly forgotten: number;
}

export interface DeadLetterRequest {
  readonly filter: DeadLetterFilter;
  /** Ids: the slice begins after one, and the last ends at the other. 0 and null at first, then as the slice before says. */
  readonly after: number;
  readonly upTo: number | null;
}

export interface DeadLetterSlice {
  readonly count: number;
  /** Where the next slice begins; null when this was the last. */
  readonly after: number | null;
  readonly upTo: number;
}

/** Each kind of request with what it asks and what it gives. */
export interface Requests {
  readonly open: { readonly asks: StoreOptions; readonly gives: { readonly lanes: number } };
  readonly commit: { readonly asks: GroupRequest; readonly gives: GroupReply };
  readonly claim: { readonly asks: ClaimRequest; readonly gives: ClaimReply | null };
  readonly settle: { readonly asks: SettleRequest; readonly gives: boolean };
  readonly checkpoint: { readonly asks: string; readonly gives: string | null };
  readonly groups: { readonly asks: readonly string[]; readonly gives: readonly RememberedGroup[] };
  readonly group: { readonly asks: GroupKnowledgeQuery; readonly gives: GroupKnowledge | null };
  readonly heldGroups: { readonly asks: HeldGroupsQuery; readonly gives: readonly HeldGroup[] };
  readonly repairGroups: { readonly asks: RepairRequest; readonly gives: RepairCounts };
  readonly keys: { readonly asks: { readonly limit: number }; readonly gives: KeysReport };
  /** Gives the number of the rehearsal that begins. */
  readonly beginRehearsal: { readonly asks: null; readonly gives: number };
  readonly rehearse: { readonly asks: GroupRequest & { readonly rehearsal: number }; readonly gives: GroupReply };
  readonly rehearsalSummary: { readonly asks: number; readonly gives: RehearsalSummary };
  readonly endRehearsal: { readonly asks: number; readonly gives: null };
  readonly rows: {
    readonly asks: { readonly source: string; readonly ids: readonly string[] };
    readonly gives: readonly KnownRow[];
  };
  readonly unseenRows: { readonly asks: UnseenQuery; readonly gives: readonly KnownRow[] };
  readonly countRows: { readonly asks: { readonly source: string; readonly before: number }; readonly gives: RowCount };
  readonly putRun: { readonly asks: Run; readonly gives: null };
  readonly runs: { readonly asks: RunFilter; readonly gives: readonly Run[] };
  readonly status: { readonly asks: null; readonly gives: LedgerStatus };
  readonly listDeadLetters: {
    readonly asks: DeadLetterRequest;
    readonly gives: DeadLetterSlice & { readonly letters: readonly DeadLetter[] };
  };
  readonly countDeadLetters: { readonly asks: DeadLetterRequest; readonly gives: DeadLetterSlice };
  readonly replayDeadLetters: { readonly asks: DeadLetterRequest; readonly gives: DeadLetterSlice };
  readonly replayEdited: { readonly asks: EditedDeadLetter; readonly gives: EditProblem | null };
  readonly dropDeadLetters: { readonly asks: DeadLetterRequest; readonly gives: DeadLetterSlice };
  /** Those older than their time. */
  readonly expireDeadLetters: { readonly asks: Omit<DeadLetterRequest, "filter">; readonly gives: DeadLetterSlice };
  readonly listRejections: { readonly asks: { readonly limit: number }; readonly gives: readonly KeptRejection[] };
  /** Gives null when there is no journal. */
  readonly traceFiles: { readonly asks: null; readonly gives: readonly JournalFile[] | null };
  readonly traceStandings: { readonly asks: StandingsQuery; readonly gives: Standings };
  readonly pruneSeen: { readonly asks: Uint8Array | null; readonly gives: PruneSlice };
  readonly pruneRejections: { readonly asks: null; readonly gives: null };
  readonly close: { readonly asks: null; readonly gives: null };
}

export type RequestKind = keyof Requests;
/** `now` is the caller's clock, in ms UTC: the worker has none of its own. */
export type Request = {
  [K in RequestKind]: {
    readonly kind: K;
    readonly asks: Requests[K]["asks"];
    readonly id: number;
    readonly now: number;
  };
}[RequestKind];

export type Reply =
  | { readonly id: number; readonly ok: true; readonly gives: Requests[RequestKind]["gives"] }
  | { readonly id: number; readonly ok: false; readonly failure: Failure };

/** A PrickleError, as it crosses threads. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;
}
