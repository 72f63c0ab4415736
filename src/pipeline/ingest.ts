/** The one door in: maps records, checks what comes out and commits everything in one transaction. */

import type { Clock } from "../core/clock.ts";
import { messageUuid, recordUuid } from "../core/identity.ts";
import type { Commit, CommitRecord, Ledger } from "../core/ledger.ts";
import type { Mapping } from "../core/mapping/mapping.ts";
import { buildMessage, type MessageProblem, type OutgoingMessage } from "../core/message.ts";
import type { Observer } from "../core/observer.ts";
import type { Rejection, SourceRecord } from "../core/record.ts";
import type { Intake } from "../core/source.ts";

export interface IngestDependencies {
  readonly source: string;
  readonly mapping: Mapping;
  readonly ledger: Ledger;
  readonly observer: Observer;
  readonly clock: Clock;
  /** Called after each commit that left something to deliver. */
  readonly onCommitted: () => void;
}

export interface Ingest {
  /** Maps what came in. Pure work: nothing is stored yet. */
  prepare(intake: Intake): Prepared;

  /**
   * Resolves when everything prepared is on disk, rejections and `checkpoint` included.
   * @throws LEDGER_FULL, LEDGER_UNAVAILABLE, LEDGER_LOCKED: then nothing was stored, and the same may be committed again.
   */
  commit(prepared: Prepared, checkpoint?: Commit["checkpoint"]): Promise<IngestResult>;
}

export interface Prepared {
  /** Records in all, those refused included. */
  readonly received: number;
  readonly records: readonly CommitRecord[];
  readonly rejections: readonly Rejection[];
}

export interface IngestResult {
  /** Records in all: those refused and those seen before included. */
  readonly received: number;
  readonly messages: number;
  readonly duplicates: number;
  readonly rejections: readonly Rejection[];
}

export function createIngest(dependencies: IngestDependencies): Ingest {
  const { source, ledger, observer, clock, onCommitted } = dependencies;
  return {
    prepare(intake) {
      const rejections = [...intake.rejections];
      const records: CommitRecord[] = [];
      for (const record of intake.records) {
        const id = recordUuid(record);
        const messages = interpret(record, id, dependencies, rejections);
        if (messages.length > 0) records.push({ id, messages });
      }
      const received = intake.records.length + intake.rejections.length;
      observer.received(source, received);
      return { received, records, rejections };
    },

    async commit({ received, records, rejections }, checkpoint) {
      const startedAt = clock.now();
      const { duplicates, committed } = await ledger.commit(
        checkpoint ? { records, rejections, checkpoint } : { records, rejections },
      );
      observer.committed(source, committed, clock.now() - startedAt);
      if (duplicates.length > 0) observer.duplicated(source, duplicates.length);
      for (const { reason } of rejections) observer.rejected(source, reason, 1);
      if (committed > 0) onCommitted();
      return { received, messages: committed, duplicates: duplicates.length, rejections };
    },
  };
}

/** Maps one record; what it refuses is added to `rejections`. */
function interpret(
  record: SourceRecord,
  recordId: string,
  { mapping, ledger }: IngestDependencies,
  rejections: Rejection[],
): readonly OutgoingMessage[] {
  const { drafts, problems } = mapping.apply(record);
  for (const problem of problems) rejections.push(rejectionOf(record, problem));
  const messages: OutgoingMessage[] = [];
  for (const [index, draft] of drafts.entries()) {
    // The same hash: not computed again.
    const uuid = index === 0 && record.statedAt !== null ? recordId : messageUuid(record, index);
    const built = buildMessage(draft, { uuid, occurredAt: record.occurredAt, lanes: ledger.lanes });
    if ("reason" in built) rejections.push(rejectionOf(record, built));
    else messages.push(built);
  }
  return messages;
}

function rejectionOf(record: SourceRecord, { reason, detail }: MessageProblem): Rejection {
  const { source, id, receivedAt, payload } = record;
  return { source, recordId: id, reason, detail, receivedAt, payload };
}
