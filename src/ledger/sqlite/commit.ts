/** Stores a group of commits: seen ids, messages, rejections and checkpoints. Runs inside the worker's transaction. */

import type { DatabaseSync } from "node:sqlite";
import { PrickleError } from "../../core/errors.ts";
import type { Rejection } from "../../core/record.ts";
import type { Counters } from "./counters.ts";
import { createGroupReader, type GroupReader } from "./frames.ts";
import type { Outbox } from "./outbox.ts";
import type { Positions } from "./positions.ts";
import type { CommitReply, Failure } from "./protocol.ts";
import type { Rejections } from "./rejections.ts";
import type { Seen } from "./seen.ts";

export interface CommitDependencies {
  readonly database: DatabaseSync;
  readonly outbox: Outbox;
  readonly positions: Positions;
  readonly seen: Seen;
  readonly rejections: Rejections;
  readonly counters: Counters;
  readonly maxDepth: number;
}

/** A claim reads whole runs: they must not grow with the group. */
const MAX_RUN_BYTES = 256 * 1024;
const FULL_RETRY_AFTER_MS = 2_000;

/** Gives a reply for each commit of the group; one that finds the outbox full stores nothing. */
export type CommitGroup = (group: Uint8Array, now: number) => readonly CommitReply[];

export function createCommitGroup(dependencies: CommitDependencies): CommitGroup {
  const { database, positions, seen, rejections, counters, maxDepth } = dependencies;
  const putCheckpoint = database.prepare(
    "INSERT INTO checkpoints (name, cursor) VALUES (?, ?) ON CONFLICT DO UPDATE SET cursor = excluded.cursor",
  );

  function commitOne(reader: GroupReader, runs: RunBuilder, now: number): CommitReply {
    const isFull = positions.depth() + runs.messages >= maxDepth;
    const records = reader.number();
    const duplicates: number[] = [];
    let committed = 0;
    for (let index = 0; index < records; index++) {
      const id = reader.id();
      const isNew = !isFull && seen.add(id, now);
      if (!isNew) duplicates.push(index);
      for (let messages = reader.number(); messages > 0; messages--) {
        const { lane, start, end } = reader.message();
        if (!isNew) continue;
        runs.add(lane, start, end);
        committed += 1;
      }
    }
    const rejected = reader.text();
    const checkpoint = reader.text();
    const cursor = reader.text();
    if (isFull && records > 0) return outboxFull(maxDepth);
    if (rejected !== null) keepAll(JSON.parse(rejected));
    if (checkpoint !== null && cursor !== null) putCheckpoint.run(checkpoint, cursor);
    counters.add("committed", committed);
    counters.add("duplicates", duplicates.length);
    return { duplicates, committed };
  }

  function keepAll(rejected: readonly Rejection[]): void {
    for (const rejection of rejected) {
      if (rejections.keep(rejection)) counters.add(`rejected:${rejection.reason}`, 1);
    }
  }

  return (group, now) => {
    const reader = createGroupReader(group);
    const runs = createRunBuilder(group);
    const replies: CommitReply[] = [];
    for (let commits = reader.number(); commits > 0; commits--) replies.push(commitOne(reader, runs, now));
    runs.appendTo(dependencies, now);
    return replies;
  };
}

interface RunBuilder {
  /** Messages added. */
  readonly messages: number;
  add(lane: number, start: number, end: number): void;
  appendTo(dependencies: Pick<CommitDependencies, "outbox" | "positions">, committedAt: number): void;
}

/** Gathers the frames of a group by lane. */
function createRunBuilder(group: Uint8Array): RunBuilder {
  const byLane = new Map<number, { parts: Uint8Array[]; bytes: number }[]>();
  let messages = 0;
  return {
    get messages() {
      return messages;
    },
    add(lane, start, end) {
      messages += 1;
      const runs = byLane.get(lane) ?? [];
      if (runs.length === 0) byLane.set(lane, runs);
      let run = runs.at(-1);
      if (!run || run.bytes + end - start > MAX_RUN_BYTES) {
        run = { parts: [], bytes: 0 };
        runs.push(run);
      }
      run.parts.push(group.subarray(start, end));
      run.bytes += end - start;
    },
    appendTo({ outbox, positions }, committedAt) {
      for (const [lane, runs] of byLane) {
        for (const { parts } of runs) {
          const frames = parts.length === 1 && parts[0] ? Buffer.from(parts[0]) : Buffer.concat(parts);
          const run = {
            lane,
            firstSeq: positions.nextSeq(lane),
            count: parts.length,
            committedAt,
            onlyDestination: null,
          };
          outbox.append({ ...run, frames });
          positions.appended(run);
        }
      }
    },
  };
}

function outboxFull(maxDepth: number): Failure {
  const { code, message, hint, retryAfterMs } = new PrickleError(
    "LEDGER_FULL",
    `The outbox holds ${maxDepth} messages, as many as it may (ledger.maxDepth).`,
    { hint: "See why they are not delivered: prickle status.", retryAfterMs: FULL_RETRY_AFTER_MS },
  );
  return { code, message, hint, retryAfterMs };
}
