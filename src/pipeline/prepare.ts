/** Maps what came in, into what is to be committed. Pure work, in whatever thread. */

import { messageUuid, recordUuid } from "../core/identity.ts";
import type { Mapping } from "../core/mapping/mapping.ts";
import type { MemoryPool } from "../core/memory-pool.ts";
import { type MessageProblem, writeMessage } from "../core/message.ts";
import { createParcelWriter, type ParcelWriter } from "../core/parcel.ts";
import type { Rejection, SourceRecord } from "../core/record.ts";
import type { Intake, Prepared } from "../core/source.ts";

export interface PrepareOptions {
  readonly mapping: Mapping;
  /** Of the ledger the messages are for. */
  readonly lanes: number;
}

export type Prepare = (intake: Intake) => Prepared;

export function createPrepare(options: PrepareOptions): Prepare {
  const preparer = createPreparer(options);
  return ({ records, rejections }) => {
    preparer.clear();
    for (const rejection of rejections) preparer.add(rejection);
    for (const record of records) preparer.add(record);
    return preparer.take();
  };
}

/** The same one by one, so that whoever reads records needs to hold only one at a time. */
export interface Preparer {
  add(outcome: SourceRecord | Rejection): void;
  /** What came of all that was added since the last time, or since `clear`. */
  take(): Prepared;
  clear(): void;
}

/** `pool`: see `createParcelWriter`. */
export function createPreparer(options: PrepareOptions, pool?: MemoryPool): Preparer {
  const writer = createParcelWriter(pool);
  let rejections: Rejection[] = [];
  let received = 0;
  const clear = () => {
    writer.clear();
    rejections = [];
    received = 0;
  };
  return {
    clear,
    add(outcome) {
      received += 1;
      if ("reason" in outcome) rejections.push(outcome);
      else interpret(outcome, options, writer, rejections);
    },
    take() {
      const prepared = { received, parcels: [writer.take()], rejections };
      clear();
      return prepared;
    },
  };
}

/** To be committed together, in order. */
export function joinPrepared(all: readonly Prepared[]): Prepared {
  const [only] = all;
  if (all.length === 1 && only) return only;
  return {
    received: all.reduce((sum, { received }) => sum + received, 0),
    parcels: all.flatMap(({ parcels }) => parcels),
    rejections: all.flatMap(({ rejections }) => rejections),
  };
}

/** Maps one record into the parcel; what it refuses is added to `rejections`. */
function interpret(
  record: SourceRecord,
  { mapping, lanes }: PrepareOptions,
  parcel: ParcelWriter,
  rejections: Rejection[],
): void {
  const id = recordUuid(record);
  const { drafts, problems } = mapping.apply(record);
  for (const problem of problems) rejections.push(rejectionOf(record, problem));
  parcel.record(id);
  for (let index = 0; index < drafts.length; index++) {
    const draft = drafts[index];
    if (!draft) continue;
    // The same hash: not computed again.
    const uuid = index === 0 && record.statedAt !== null ? id : messageUuid(record, index);
    const problem = writeMessage(draft, { uuid, occurredAt: record.occurredAt, lanes }, parcel);
    if (problem) rejections.push(rejectionOf(record, problem));
  }
}

function rejectionOf(record: SourceRecord, { reason, detail }: MessageProblem): Rejection {
  const { source, id, receivedAt, payload } = record;
  return { source, recordId: id, reason, detail, receivedAt, payload };
}
