/** Stores a group of commits: seen ids, messages, rejections and checkpoints. Runs inside the worker's transaction. */

import type { Attribute } from "../../core/attribution/attribute.ts";
import type { AttributionTally } from "../../core/attribution/step.ts";
import { PrickleError } from "../../core/errors.ts";
import type { RememberedGroup } from "../../core/group-memory.ts";
import { keptRejection } from "../../core/kept-rejection.ts";
import type { CommitResult } from "../../core/ledger.ts";
import { createParcelWriter, ID_BYTES } from "../../core/parcel.ts";
import type { Rejection } from "../../core/record.ts";
import type { KnownRow } from "../../core/rows.ts";
import { SERVICES } from "../../core/service.ts";
import { type PackedCommit, readGroup } from "./group-bytes.ts";
import type { StoredKnowledge } from "./knowledge/knowledge.ts";
import type { LogNotes } from "./log-record.ts";
import type { Outbox } from "./outbox.ts";
import type { Positions } from "./positions.ts";
import type { CommitReply, Failure } from "./protocol.ts";
import { createRunBuilder } from "./run-builder.ts";
import type { Seen } from "./seen.ts";
import { createCommitTrace } from "./trace/commit-trace.ts";
import type { Journal } from "./trace/journal.ts";

export interface CommitDependencies {
  readonly outbox: Outbox;
  readonly positions: Positions;
  readonly seen: Seen;
  /** Brings what a transaction changes beside the outbox into the tables. */
  readonly applyNotes: (notes: LogNotes) => void;
  readonly attribute: Attribute;
  readonly knowledge: Pick<StoredKnowledge, "takeChanges">;
  readonly journal: Journal;
  readonly maxDepth: number;
}

const FULL_RETRY_AFTER_MS = 2_000;
/** Of the outbox, for commits without a checkpoint: a backfill can wait, who calls cannot. */
const CALLS_SHARE = 0.2;

/** Gives a reply for each commit of the group; one that finds the outbox full stores nothing. */
export type CommitGroup = (group: Uint8Array, now: number) => readonly CommitReply[];

export function createCommitGroup(dependencies: CommitDependencies): CommitGroup {
  const { outbox, positions, seen, applyNotes, attribute, knowledge, journal, maxDepth } = dependencies;
  const builder = createRunBuilder(positions.lanes);
  const parcel = createParcelWriter();
  const taken = new Array<number>(SERVICES.length * positions.lanes).fill(0);
  const trace = createCommitTrace(journal);
  const takeSeq = (lane: number) => {
    const seq = positions.nextSeq(lane) + (taken[lane] ?? 0);
    taken[lane] = (taken[lane] ?? 0) + 1;
    trace?.message(seq);
    return seq;
  };
  const target = { parcel, takeSeq, ...(trace ? { trace } : {}) };

  return (bytes, now) => {
    builder.clear();
    parcel.clear();
    trace?.clear();
    taken.fill(0);
    const group = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const commits = readGroup(group);
    const fitting = takenOf(commits, { maxDepth, depth: positions.depth() });
    const ids = idsOf(commits.filter((commit) => fitting.has(commit)));
    const known = seen.add(ids, now);
    const replies = new Map<PackedCommit, CommitResult>();
    let firstPlace = 0;
    for (const commit of fitting) {
      const duplicates = within(known, firstPlace, commit.records);
      const attributable = { ...commit, bytes: group, known: new Set(duplicates) };
      trace?.commit({ source: commit.source, origins: commit.origins, duplicates });
      const attribution = attribute(attributable, target);
      replies.set(commit, { duplicates, committed: attribution.messages, attribution });
      firstPlace += commit.records;
    }
    const contents = parcel.contents();
    builder.add(contents);
    trace?.write(contents, now);
    const notes = notesOf(replies, knowledge);
    const { runs, ranges } = builder.take(positions, now);
    applyNotes(notes);
    if (mustLast(notes)) outbox.add({ runs, ids: withoutKnown(ids, known), notes }, { bytes: contents, ranges });
    return commits.map((commit) => replies.get(commit) ?? outboxFull(mostFor(commit, maxDepth)));
  };
}

/** Those that fit; how many of their messages are new is not known yet. Without records a commit always fits. */
function takenOf(
  commits: readonly PackedCommit[],
  { maxDepth, depth }: { readonly maxDepth: number; readonly depth: number },
): ReadonlySet<PackedCommit> {
  let messages = depth;
  const taken = new Set<PackedCommit>();
  for (const commit of commits) {
    if (commit.records > 0 && messages >= mostFor(commit, maxDepth)) continue;
    messages += commit.messages;
    taken.add(commit);
  }
  return taken;
}

function mostFor({ checkpoint }: PackedCommit, maxDepth: number): number {
  return checkpoint === null ? maxDepth : maxDepth - Math.floor(maxDepth * CALLS_SHARE);
}

function idsOf(commits: readonly PackedCommit[]): Buffer {
  const [only] = commits;
  return commits.length === 1 && only ? only.ids : Buffer.concat(commits.map(({ ids }) => ids));
}

/** The places from `first` on, counted from there. */
function within(places: readonly number[], first: number, count: number): readonly number[] {
  if (places.length === 0) return places;
  return places.filter((place) => place >= first && place < first + count).map((place) => place - first);
}

function withoutKnown(ids: Buffer, known: readonly number[]): Buffer {
  if (known.length === 0) return ids;
  const gone = new Set(known);
  const kept: Buffer[] = [];
  for (let place = 0; place * ID_BYTES < ids.length; place++) {
    if (!gone.has(place)) kept.push(ids.subarray(place * ID_BYTES, (place + 1) * ID_BYTES));
  }
  return Buffer.concat(kept);
}

function notesOf(
  replies: ReadonlyMap<PackedCommit, CommitResult>,
  knowledge: CommitDependencies["knowledge"],
): LogNotes {
  let duplicates = 0;
  const rejections: Rejection[] = [];
  const groups: RememberedGroup[] = [];
  const rows: (readonly [string, readonly KnownRow[]])[] = [];
  const checkpoints: (readonly [string, string])[] = [];
  for (const [commit, reply] of replies) {
    duplicates += reply.duplicates.length;
    // One by one: there may be more than a call can have arguments.
    for (const rejection of listOf<Rejection>(commit.rejections)) rejections.push(rejection);
    for (const rejection of reply.attribution.rejections) rejections.push(keptRejection(rejection));
    for (const group of listOf<RememberedGroup>(commit.groups)) groups.push(group);
    if (commit.rows !== null) rows.push([commit.source, listOf<KnownRow>(commit.rows)]);
    if (commit.checkpoint) checkpoints.push(commit.checkpoint);
  }
  const changes = knowledge.takeChanges();
  return {
    ...sumOf([...replies.values()].map(({ attribution }) => attribution)),
    duplicates,
    ...(rejections.length > 0 ? { rejections } : {}),
    ...(groups.length > 0 ? { groups } : {}),
    ...(rows.length > 0 ? { rows } : {}),
    ...(checkpoints.length > 0 ? { checkpoints } : {}),
    ...(changes.length > 0 ? { changes } : {}),
  };
}

function listOf<One>(json: string | null): readonly One[] {
  return json === null ? [] : JSON.parse(json);
}

function sumOf(tallies: readonly AttributionTally[]): LogNotes {
  let [committed, saved, stale, attributed] = [0, 0, 0, 0];
  for (const tally of tallies) {
    committed += tally.messages;
    saved += tally.saved;
    stale += tally.stale;
    attributed += tally.attributed;
  }
  return {
    committed,
    ...(saved > 0 ? { saved } : {}),
    ...(stale > 0 ? { stale } : {}),
    ...(attributed > 0 ? { attributed } : {}),
  };
}

/** Of what was seen before, or had nothing new, only the counters tell: it is not worth a flush. */
function mustLast({ committed = 0, rejections, groups, rows, checkpoints, changes }: LogNotes): boolean {
  return committed > 0 || [rejections, groups, rows, checkpoints, changes].some((some) => some !== undefined);
}

function outboxFull(most: number): Failure {
  const { code, message, hint, retryAfterMs } = new PrickleError(
    "LEDGER_FULL",
    `The outbox holds ${most} messages, as many as it may (ledger.maxDepth, of which a fifth is for calls only).`,
    { hint: "See why they are not delivered: prickle status.", retryAfterMs: FULL_RETRY_AFTER_MS },
  );
  return { code, message, hint, retryAfterMs };
}
