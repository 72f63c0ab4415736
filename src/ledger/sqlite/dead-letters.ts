/** Messages given up, with what became of them. */

import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { DeadLetter, DeadLetterFilter } from "../../core/ledger.ts";
import { frameOf } from "./frames.ts";
import type { Outbox } from "./outbox.ts";
import type { Positions } from "./positions.ts";

export interface DeadLetters {
  add(letter: Omit<DeadLetter, "id" | "body"> & { readonly body: Uint8Array }): void;
  /** By id. */
  list(filter: DeadLetterFilter): readonly DeadLetter[];
  /** Those of destinations the ledger feeds. */
  replay(filter: DeadLetterFilter, now: number): number;
  drop(filter: DeadLetterFilter): number;
  /** One that went back into the outbox. */
  remove(id: number): void;
  count(destination: string): number;
}

const NO_IDS = new Uint8Array(0);

export function createDeadLetters(database: DatabaseSync, outbox: Outbox, positions: Positions): DeadLetters {
  const insert = database.prepare(
    `INSERT INTO dead_letters (destination, uuid, lane, reason, attempts, first_attempt_at, died_at, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const countOf = database.prepare("SELECT count(*) AS letters FROM dead_letters WHERE destination = ?");
  const remove = database.prepare("DELETE FROM dead_letters WHERE id = ?");

  function list(filter: DeadLetterFilter): readonly DeadLetter[] {
    const { where, values } = conditionsOf(filter);
    return database
      .prepare(`SELECT * FROM dead_letters ${where} ORDER BY id LIMIT ?`)
      .all(...values, filter.limit ?? -1)
      .map(letterOf);
  }

  return {
    add: ({ destination, uuid, lane, reason, attempts, firstAttemptAt, diedAt, body }) => {
      insert.run(destination, uuid, lane, reason, attempts, firstAttemptAt, diedAt, body);
    },
    list,
    replay(filter, now) {
      const letters = list(filter).filter(({ destination }) => positions.destinations.includes(destination));
      for (const { id, destination, lane, uuid, body } of letters) {
        const bytes = frameOf(uuid, Buffer.from(body));
        const run = { lane, count: 1, bytes: bytes.length, firstSeq: positions.nextSeq(lane), committedAt: now };
        const notes = { only: destination, replayed: [id] };
        outbox.add({ runs: [run], ids: NO_IDS, notes }, { bytes, ranges: [0, bytes.length] });
        positions.appended({ ...run, onlyDestination: destination });
        remove.run(id);
      }
      return letters.length;
    },
    drop(filter) {
      const letters = list(filter);
      for (const { id } of letters) remove.run(id);
      return letters.length;
    },
    remove: (id) => void remove.run(id),
    count: (destination) => Number(countOf.get(destination)?.letters ?? 0),
  };
}

function conditionsOf({ ids, destination }: DeadLetterFilter): { where: string; values: SQLInputValue[] } {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  if (ids) {
    conditions.push("id IN (SELECT value FROM json_each(?))");
    values.push(JSON.stringify(ids));
  }
  if (destination !== undefined) {
    conditions.push("destination = ?");
    values.push(destination);
  }
  return { where: conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "", values };
}

function letterOf(row: Record<string, unknown>): DeadLetter {
  const { body } = row;
  return {
    id: Number(row.id),
    destination: String(row.destination),
    uuid: String(row.uuid),
    lane: Number(row.lane),
    reason: String(row.reason),
    attempts: Number(row.attempts),
    firstAttemptAt: Number(row.first_attempt_at),
    diedAt: Number(row.died_at),
    body: body instanceof Uint8Array ? Buffer.from(body).toString() : "",
  };
}
