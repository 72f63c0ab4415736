/**
 * Port: the ledger, the durable store of outbox, seen ids, checkpoints, rejections and dead letters.
 *
 * One commit holds everything a request or page brought; either all of it is on disk or none. Messages of one lane
 * leave in the order they were committed. Every destination has its own position in every lane; a message leaves
 * the outbox when all destinations are past it. One process owns a ledger at a time.
 *
 * Failures of the store are LEDGER_UNAVAILABLE, LEDGER_FULL or LEDGER_LOCKED, all retryable, from any call.
 */

import type { AttributionTally } from "./attribution/step.ts";
import type { DeadLetter, DeadLetterFilter, DeadLetterPage, EditedDeadLetter } from "./dead-letter.ts";
import type { Outcome } from "./destination.ts";
import type {
  GroupKnowledge,
  GroupKnowledgeQuery,
  GroupRepair,
  HeldGroup,
  HeldGroupsQuery,
  KeysReport,
  RepairCounts,
} from "./group-knowledge.ts";
import type { RememberedGroup } from "./group-memory.ts";
import type { OutboxMessage } from "./message.ts";
import type { Parcel } from "./parcel.ts";
import type { Rejection, RejectionReason } from "./record.ts";
import type { RehearsalSummary } from "./rehearsal.ts";
import type { KnownRow, RowMemory } from "./rows.ts";
import type { Run, RunFilter } from "./runs.ts";
import type { Service } from "./service.ts";
import type { Trace, TraceQuery } from "./trace.ts";

export interface Ledger extends RowMemory {
  /** Number of lanes of each service: fixed when the ledger was created, since the order of what waits depends on it. */
  readonly lanes: number;

  /**
   * Puts everything in `commit` on disk in one transaction and only then resolves. Records whose id was seen in the
   * last `seenDays`, or earlier in the same commit, are left out, messages and all, and named in `duplicates`. What
   * records say of people and groups is kept with them, and their messages are attributed by it (core/attribution)
   * within the transaction: statements first, then message by message. Calls made at the same time share one
   * transaction and one flush, and are committed in the order they were made.
   * @throws LEDGER_FULL when the disk or the outbox (`maxDepth`) is full, for a commit with a checkpoint, which can wait,
   *   when it is four fifths full. Nothing of the commit is stored then.
   */
  commit(commit: Commit): Promise<CommitResult>;

  /**
   * Takes what is due from free lanes of a service and holds those lanes for `leaseMs`. Within a lane messages come in
   * the order they were committed, without gaps but for those already settled. Of live lanes each has its turn; of
   * historical ones those go first whose next message was committed first. Null when nothing is due.
   */
  claim(request: ClaimRequest): Promise<Claim | null>;

  /**
   * Records what became of a claim's messages, `outcomes[i]` for `messages[i]`, and frees its lanes. `delivered` and
   * `dead` messages are never claimed again; from the first `retry` of a lane on, the lane waits until `dueAt`.
   * Returns false, changing nothing, when the lease had run out and a lane was claimed anew.
   */
  settle(claimId: number, outcomes: readonly SettleOutcome[]): Promise<boolean>;

  /** The cursor stored for `name` by the last commit that carried one; null if there is none. */
  checkpoint(name: string): Promise<string | null>;

  /** What commits said of groups of these types, the last word on each. */
  groups(groupTypes: readonly string[]): Promise<readonly RememberedGroup[]>;

  /** What is known of a group, with at most `limit` of its members; null: nothing. */
  group(query: GroupKnowledgeQuery): Promise<GroupKnowledge | null>;

  /** What the destination was sent of groups, as it counts now. */
  heldGroups(query: HeldGroupsQuery): Promise<readonly HeldGroup[]>;

  /**
   * Queues what a destination lacks of groups, for it alone, at the end of their lanes: each property as it counts now,
   * under new ids. Left out is what waits already, or is owed, since a newer word wins.
   * @throws LEDGER_FULL when the disk or the outbox is full. Nothing is queued then.
   */
  repairGroups(request: {
    readonly destination: string;
    readonly groups: readonly GroupRepair[];
  }): Promise<RepairCounts>;

  /** What is known of keys, with at most `limit` of each list. */
  keys(query: { readonly limit: number }): Promise<KeysReport>;

  status(): Promise<LedgerStatus>;

  /** By id. */
  listDeadLetters(filter: DeadLetterFilter & DeadLetterPage): Promise<readonly DeadLetter[]>;
  countDeadLetters(filter: DeadLetterFilter): Promise<number>;
  /** Puts the dead letters back into the outbox, at the end of their lanes, for their own destination only, with uuid and timestamp kept. Works in slices, oldest first: one that fails leaves those before it done. Returns how many. */
  replayDeadLetters(filter: DeadLetterFilter): Promise<number>;
  /**
   * Puts one back with another text, which has to be a message of the same uuid and timestamp (core/edited-message.ts), in
   * the lane of whom it is about.
   * @throws NOT_FOUND, INPUT_INVALID: then it stays as it was.
   */
  replayEdited(letter: EditedDeadLetter): Promise<void>;
  /** Forgets the dead letters, in slices as well. Returns how many. */
  dropDeadLetters(filter: DeadLetterFilter): Promise<number>;

  /** Takes commits as `commit` does, over what is known now, and keeps nothing. To be closed. */
  rehearse(): Promise<LedgerRehearsal>;

  /** What became of a message, or of a record and its messages, as far as it is remembered. */
  trace(query: TraceQuery): Promise<Trace>;

  /** Newest first. */
  listRejections(filter: { readonly limit: number }): Promise<readonly KeptRejection[]>;

  /** Keeps it in the place of what was kept of the same run. */
  putRun(run: Run): Promise<void>;
  /** Newest first. */
  runs(filter: RunFilter): Promise<readonly Run[]>;

  /** Forgets seen ids, rejections and dead letters older than their time. Works in slices, so that commits never wait long. Returns how many ids it forgot. */
  prune(): Promise<number>;

  /** Finishes what was asked before, then closes. Idempotent. */
  close(): Promise<void>;
}

export interface Commit {
  /** Name of the source of its records; needed for those that are to be attributed. */
  readonly source?: string;
  /** Only records that make messages: one that makes none may make some once its mapping is mended. */
  readonly parcels: readonly Parcel[];
  /** One with the source, record id and reason of one already kept replaces it and is not counted again. */
  readonly rejections: readonly Rejection[];
  /** What is known of groups from now on, each instead of what was known of it. */
  readonly groups?: readonly RememberedGroup[];
  /** What is known of rows of `source` from now on, each instead of what was known of it. */
  readonly rows?: readonly KnownRow[];
  /** Stored with the same transaction, even if every record turns out to be a duplicate. */
  readonly checkpoint?: { readonly name: string; readonly cursor: string };
}

export interface CommitResult {
  /** Which records were seen before, ascending: their places when all records of the parcels are numbered from 0. */
  readonly duplicates: readonly number[];
  /** Messages put into the outbox. */
  readonly committed: number;
  readonly attribution: AttributionTally;
}

export interface ClaimRequest {
  readonly destination: string;
  readonly service: Service;
  readonly maxMessages: number;
  /** Of message bodies together; a single larger message is still claimed, alone. */
  readonly maxBytes: number;
  readonly leaseMs: number;
}

export interface Claim {
  readonly id: number;
  /** Their bodies are valid until the claim is settled. */
  readonly messages: readonly OutboxMessage[];
}

/** `retry` says from when on (ms UTC) the lane may be claimed again; `isUntried`: it was not sent, which counts as no attempt. */
export type SettleOutcome =
  | Exclude<Outcome, { kind: "retry" | "later" }>
  | { readonly kind: "retry"; readonly reason: string; readonly dueAt: number; readonly isUntried?: boolean };

export interface LedgerRehearsal {
  commit(commit: Commit): Promise<CommitResult>;
  summary(): Promise<RehearsalSummary>;
  close(): Promise<void>;
}

export interface LedgerStatus {
  /** Of each service. */
  readonly lanes: number;
  readonly destinations: readonly DestinationStatus[];
  /** Messages in the outbox: what the deepest-lagging destination still waits for. */
  readonly depth: number;
  /** Messages ever committed, and records ever refused as duplicates. */
  readonly committed: number;
  readonly duplicates: number;
  /** Group identifies that had nothing new and were not sent, properties that were older than what is known, events that gained a group. */
  readonly saved: number;
  readonly stale: number;
  readonly attributed: number;
  readonly rejected: number;
  readonly rejectedByReason: Readonly<Partial<Record<RejectionReason, number>>>;
  /** Dead letters that were forgotten because of their age. */
  readonly expired: number;
  readonly sizeBytes: number;
}

export interface DestinationStatus {
  readonly name: string;
  /** Messages still waiting for this destination. */
  readonly depth: number;
  /** When the oldest waiting message was committed, ms UTC; null if none waits. */
  readonly oldestCommittedAt: number | null;
  /** The same of each service. */
  readonly services: Readonly<Record<Service, ServiceStatus>>;
  /** Earliest time a lane is due, ms UTC; null if none waits. At most now when something can be claimed. */
  readonly nextDueAt: number | null;
  readonly delivered: number;
  readonly retried: number;
  /** Dead letters kept now. */
  readonly dead: number;
  /** Lanes with something waiting, ascending. */
  readonly waitingLanes: readonly LaneStatus[];
}

export type ServiceStatus = Pick<DestinationStatus, "depth" | "oldestCommittedAt">;

export interface LaneStatus {
  readonly lane: number;
  readonly service: Service;
  readonly depth: number;
  /** Failed attempts of the message at its head. */
  readonly attempts: number;
  /** Reason of the last failure, null if none. */
  readonly lastFailure: string | null;
}

export interface KeptRejection extends Rejection {
  readonly id: number;
}
