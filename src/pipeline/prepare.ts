/** Maps what came in, into what is to be committed. Pure work, in whatever thread. */

import type { GroupMemory, RememberedGroup } from "../core/group-memory.ts";
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
  /** What mappings ask for by `@group`. Default: nothing is known, and nothing noted. */
  readonly groups?: GroupMemory;
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
  let groups: RememberedGroup[] = [];
  let received = 0;
  const clear = () => {
    writer.clear();
    rejections = [];
    groups = [];
    received = 0;
  };
  return {
    clear,
    add(outcome) {
      received += 1;
      if ("reason" in outcome) rejections.push(outcome);
      else interpret(outcome, options, { parcel: writer, rejections, groups });
    },
    take() {
      const prepared = { received, parcels: [writer.take()], rejections, groups };
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
    groups: all.flatMap(({ groups }) => groups),
  };
}

/** What comes of a record goes here. */
interface Into {
  readonly parcel: ParcelWriter;
  readonly rejections: Rejection[];
  readonly groups: RememberedGroup[];
}

function interpret(record: SourceRecord, { mapping, lanes, groups: memory }: PrepareOptions, into: Into): void {
  const { parcel, rejections, groups } = into;
  const { occurredAt } = record;
  const id = recordUuid(record);
  const { drafts, problems } = mapping.apply(record, memory);
  for (const problem of problems) rejections.push(rejectionOf(record, problem));
  parcel.record(id);
  for (const [index, draft] of drafts.entries()) {
    // The same hash: not computed again.
    const uuid = index === 0 && record.statedAt !== null ? id : messageUuid(record, index);
    const problem = writeMessage(draft, { uuid, occurredAt, lanes }, parcel);
    if (problem) rejections.push(rejectionOf(record, problem));
    else if (memory && draft.kind === "groupIdentify") {
      const group = memory.note({ ...draft, occurredAt });
      if (group) groups.push(group);
    }
  }
}

function rejectionOf(record: SourceRecord, { reason, detail }: MessageProblem): Rejection {
  const { source, id, receivedAt, payload } = record;
  return { source, recordId: id, reason, detail, receivedAt, payload };
}
