/** Maps what came in, into what is to be committed. Pure work, in whatever thread. */

import { writeEventFacts, writeIdentifyFacts, writeStatements } from "../core/attribution/facts.ts";
import { fittingDistinctId } from "../core/group.ts";
import type { GroupMemory, RememberedGroup } from "../core/group-memory.ts";
import { messageUuid, recordUuid } from "../core/identity.ts";
import { keptRejection } from "../core/kept-rejection.ts";
import type { Mapping } from "../core/mapping/mapping.ts";
import type { MemoryPool } from "../core/memory-pool.ts";
import {
  type EventDraft,
  type GroupIdentifyDraft,
  keyProblem,
  type MessageDraft,
  type MessageProblem,
  type Statement,
  sizeProblem,
  writeMessage,
  writtenOrProblem,
} from "../core/message.ts";
import { createParcelWriter, type ParcelWriter } from "../core/parcel.ts";
import { isPersonless } from "../core/personless.ts";
import type { Rejection, SourceRecord } from "../core/record.ts";
import { isHistory } from "../core/service.ts";
import type { Intake, Prepared } from "../core/source.ts";
import type { Uuid } from "../core/uuid.ts";
import { createMendTally, joinMended, type MendTally } from "./mend-tally.ts";

export interface PrepareOptions {
  readonly mapping: Mapping;
  /** Of the ledger the messages are for. */
  readonly lanes: number;
  /** What is old when it is received is history, and leaves by the historical service. Default: everything is live. */
  readonly isBackfill?: boolean;
  /** What mappings ask for by `@group`. Default: nothing is known, and nothing noted. */
  readonly groups?: GroupMemory;
  /** `statements`: only what records say of people, and no messages. Default: everything. */
  readonly only?: "statements";
}

export type Prepare = (intake: Intake) => Prepared;

export function createPrepare(options: PrepareOptions): Prepare {
  const preparer = createPreparer(options);
  return ({ records, rejections, rows }) => {
    preparer.clear();
    for (const rejection of rejections) preparer.add(rejection);
    for (const record of records) preparer.add(record);
    const prepared = preparer.take();
    return rows ? { ...prepared, rows } : prepared;
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
  let statements: TimedStatement[] = [];
  const mends = createMendTally();
  let received = 0;
  const clear = () => {
    writer.clear();
    rejections = [];
    groups = [];
    statements = [];
    mends.clear();
    received = 0;
  };
  return {
    clear,
    add(outcome) {
      received += 1;
      if ("reason" in outcome) rejections.push(keptRejection(outcome));
      else interpret(outcome, options, { parcel: writer, rejections, groups, statements, mends });
    },
    take() {
      const parcel = writer.take(statements.length > 0 ? writeStatements(statements) : "");
      const isPass = options.only !== undefined;
      const prepared = { received, parcels: [parcel], rejections: isPass ? [] : rejections, groups, ...mends.take() };
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
    rows: all.flatMap(({ rows = [] }) => rows),
    ...joinMended(all),
  };
}

type TimedStatement = Statement & { readonly at: number };

/** What comes of a record goes here. */
interface Into {
  readonly parcel: ParcelWriter;
  readonly rejections: Rejection[];
  readonly groups: RememberedGroup[];
  readonly statements: TimedStatement[];
  readonly mends: MendTally;
}

function interpret(record: SourceRecord, options: PrepareOptions, into: Into): void {
  const { mapping, groups: memory, only } = options;
  const { parcel, rejections, mends } = into;
  const { rule, drafts, statements, problems } = mapping.apply(record, memory);
  for (const statement of statements) into.statements.push({ ...fitting(statement), at: record.occurredAt });
  if (only) return;
  const id = recordUuid(record);
  for (const problem of problems) rejections.push(rejectionOf(record, problem));
  parcel.record(id, { record, rule });
  let laid = 0;
  for (const [index, draft] of drafts.entries()) {
    // The same hash: not computed again.
    const uuid = index === 0 && record.statedAt !== null ? id : messageUuid(record, index);
    const problem = layDraft(draft, { record, uuid, ...options, mends }, parcel);
    if (problem) {
      rejections.push(rejectionOf(record, problem));
      continue;
    }
    laid += 1;
    if (draft.kind === "groupIdentify") noteGroup(draft, record, memory, into);
  }
  if (record.isTimeCapped && laid > 0) mends.mend("future_timestamp", laid);
}

/** Ids as messages have them. */
function fitting(statement: Statement): Statement {
  if (statement.kind === "membership") return { ...statement, ids: statement.ids.map(fittingDistinctId) };
  const { kind, id, earlierId } = statement;
  return { kind, id: fittingDistinctId(id), earlierId: fittingDistinctId(earlierId) };
}

function noteGroup(
  { groupType, groupKey, properties }: GroupIdentifyDraft,
  { occurredAt }: SourceRecord,
  memory: GroupMemory | undefined,
  { groups }: Into,
): void {
  const group = groupKey === null ? null : memory?.note({ groupType, groupKey, properties, occurredAt });
  if (group) groups.push(group);
}

interface DraftContext {
  readonly record: SourceRecord;
  readonly uuid: Uuid;
  readonly mapping: Mapping;
  readonly lanes: number;
  readonly isBackfill?: boolean;
  readonly mends: MendTally;
}

function layDraft(draft: MessageDraft, context: DraftContext, parcel: ParcelWriter): MessageProblem | null {
  return draft.kind === "groupIdentify" ? layIdentify(draft, context, parcel) : layEvent(draft, context, parcel);
}

/** Its text is made when it is known what of it is new. */
function layIdentify(
  draft: GroupIdentifyDraft,
  { record, uuid }: DraftContext,
  parcel: ParcelWriter,
): MessageProblem | null {
  const facts = writtenOrProblem(() => writeIdentifyFacts(draft, record));
  if (typeof facts !== "string") return facts;
  const problem = keyProblem(draft.groupType, draft.groupKey) ?? sizeProblem(Buffer.byteLength(facts));
  if (problem) return problem;
  parcel.beginMessage(uuid, facts);
  parcel.endMessage(0);
  return null;
}

/**
 * Only what lacks a group, and can get one, has facts. Whoever sends a personless event asks for no person, and so for
 * no group either, unless he names one.
 */
function layEvent(
  draft: EventDraft,
  { record: { occurredAt, receivedAt }, uuid, mapping, lanes, isBackfill = false, mends }: DraftContext,
  parcel: ParcelWriter,
): MessageProblem | null {
  const service = isBackfill && isHistory(occurredAt, receivedAt) ? "historical" : "live";
  const { distinctId, groups, groupsOf = [], properties } = draft;
  const wasPersonless = isPersonless(properties);
  const has = Object.keys(groups);
  const gains = groupsOf.length > 0 && has.length < mapping.groupTypes.length && !wasPersonless;
  const facts = gains ? writeEventFacts({ at: occurredAt, ids: groupsOf.map(fittingDistinctId), has }) : "";
  const problem = writeMessage(draft, { uuid, occurredAt, lanes, service }, parcel, facts);
  if (problem) return problem;
  if (wasPersonless && !isPersonless(properties)) mends.mend("personless");
  if (fittingDistinctId(distinctId) !== distinctId) mends.mend("long_distinct_id");
  return null;
}

function rejectionOf(record: SourceRecord, { reason, detail }: MessageProblem): Rejection {
  const { source, id, receivedAt, payload } = record;
  return keptRejection({ source, recordId: id, reason, detail, receivedAt, payload });
}
