/** The outbox table: runs of messages, lane by lane. */

import type { DatabaseSync } from "node:sqlite";

/** Ids of a lane begin at `lane * LANE_SPAN`: 64 lanes of 7e13 messages stay within the integers JavaScript counts in. */
const LANE_SPAN = 2 ** 46;

export interface RunHead {
  readonly lane: number;
  /** Seq of its first message. */
  readonly firstSeq: number;
  readonly count: number;
  readonly committedAt: number;
  /** Null: for all destinations; else it was replayed, for this one. */
  readonly onlyDestination: string | null;
}

export interface Run extends RunHead {
  readonly frames: Buffer;
}

export interface Outbox {
  append(run: Run): void;
  /** Runs of a lane from the one that holds `seq` on. */
  runsFrom(lane: number, seq: number): Iterable<Run>;
  headsFrom(lane: number, seq: number): Iterable<RunHead>;
  /** All of them, without their messages, lane by lane. */
  scan(): Iterable<RunHead>;
  /** Forgets the runs of a lane that end before `seq`. */
  forgetBefore(lane: number, seq: number): void;
}

export function createOutbox(database: DatabaseSync): Outbox {
  const head = "id, count, committed_at, only_destination";
  const fromSeq =
    "id >= max(:start, coalesce((SELECT max(id) FROM outbox WHERE id BETWEEN :start AND :id), 0)) AND id < :end";
  const insert = database.prepare(
    "INSERT INTO outbox (id, count, committed_at, only_destination, frames) VALUES (?, ?, ?, ?, ?)",
  );
  const runs = database.prepare(`SELECT ${head}, frames FROM outbox WHERE ${fromSeq} ORDER BY id`);
  const heads = database.prepare(`SELECT ${head} FROM outbox WHERE ${fromSeq} ORDER BY id`);
  const all = database.prepare(`SELECT ${head} FROM outbox ORDER BY id`);
  const forget = database.prepare("DELETE FROM outbox WHERE id >= :start AND id < :id AND id + count <= :id");

  return {
    append: ({ lane, firstSeq, count, committedAt, onlyDestination, frames }) => {
      insert.run(lane * LANE_SPAN + firstSeq, count, committedAt, onlyDestination, frames);
    },
    *runsFrom(lane, seq) {
      for (const row of runs.iterate(range(lane, seq))) yield { ...headOf(row), frames: framesOf(row) };
    },
    *headsFrom(lane, seq) {
      for (const row of heads.iterate(range(lane, seq))) yield headOf(row);
    },
    *scan() {
      for (const row of all.iterate()) yield headOf(row);
    },
    forgetBefore: (lane, seq) => {
      forget.run({ start: lane * LANE_SPAN, id: lane * LANE_SPAN + seq });
    },
  };
}

type Row = Record<string, unknown>;

function range(lane: number, seq: number): Record<string, number> {
  return { start: lane * LANE_SPAN, id: lane * LANE_SPAN + seq, end: (lane + 1) * LANE_SPAN };
}

function headOf({ id, count, committed_at, only_destination }: Row): RunHead {
  const lane = Math.floor(Number(id) / LANE_SPAN);
  return {
    lane,
    firstSeq: Number(id) - lane * LANE_SPAN,
    count: Number(count),
    committedAt: Number(committed_at),
    onlyDestination: typeof only_destination === "string" ? only_destination : null,
  };
}

function framesOf({ frames }: Row): Buffer {
  if (!(frames instanceof Uint8Array)) throw new TypeError("a run without frames");
  return Buffer.from(frames.buffer, frames.byteOffset, frames.byteLength);
}
