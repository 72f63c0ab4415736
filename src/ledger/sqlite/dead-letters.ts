/** Messages given up, with what became of them. */

import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { DeadLetter, DeadLetterFilter } from "../../core/ledger.ts";
import { groupPropertiesIn } from "../../core/message.ts";
import { frameOf } from "./frames.ts";
import type { StoredKnowledge } from "./knowledge/knowledge.ts";
import type { Outbox } from "./outbox.ts";
import type { Positions } from "./positions.ts";
import type { ReplayRequest, ReplaySlice } from "./protocol.ts";

export interface DeadLetters {
  add(letter: Omit<DeadLetter, "id" | "body"> & { readonly body: Uint8Array }): void;
  /** By id. */
  list(filter: DeadLetterFilter): readonly DeadLetter[];
  /** The next of those of destinations the ledger feeds. */
  replay(request: ReplayRequest, now: number): ReplaySlice;
  drop(filter: DeadLetterFilter): number;
  /** One that went back into the outbox. */
  remove(id: number): void;
  count(destination: string): number;
}

export interface DeadLetterParts {
  readonly outbox: Outbox;
  readonly positions: Positions;
  readonly refresh: (json: string) => string;
  readonly knowledge: Pick<StoredKnowledge, "apply" | "takeChanges">;
}

/** What goes back in one transaction; a single larger letter goes alone. */
const SLICE_LETTERS = 1_000;
const SLICE_BYTES = 4 * 1024 * 1024;
const NO_IDS = new Uint8Array(0);

/** `refresh` gives the text with which a message is sent again. */
export function createDeadLetters(
  database: DatabaseSync,
  { outbox, positions, refresh, knowledge }: DeadLetterParts,
): DeadLetters {
  const insert = database.prepare(
    `INSERT INTO dead_letters (destination, uuid, lane, reason, attempts, first_attempt_at, died_at, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const countOf = database.prepare("SELECT count(*) AS letters FROM dead_letters WHERE destination = ?");
  const newest = database.prepare("SELECT max(id) AS id FROM dead_letters");
  const byId = database.prepare("SELECT * FROM dead_letters WHERE id = ?");
  const remove = database.prepare("DELETE FROM dead_letters WHERE id = ?");

  function list(filter: DeadLetterFilter): readonly DeadLetter[] {
    const { where, values } = conditionsOf(filter);
    return database
      .prepare(`SELECT * FROM dead_letters ${where} ORDER BY id LIMIT ?`)
      .all(...values, filter.limit ?? -1)
      .map(letterOf);
  }

  /** Ids of those to be put back next; the bodies are not looked at. */
  function sliceOf(filter: DeadLetterFilter, after: number, upTo: number): { ids: readonly number[]; isLast: boolean } {
    const { where, values } = conditionsOf(filter, [
      ["id > ?", after],
      ["id <= ?", upTo],
      ["destination IN (SELECT value FROM json_each(?))", JSON.stringify(positions.destinations)],
    ]);
    const most = Math.min(filter.limit ?? SLICE_LETTERS, SLICE_LETTERS);
    const found = database
      .prepare(`SELECT id, length(body) AS bytes FROM dead_letters ${where} ORDER BY id LIMIT ?`)
      .all(...values, most);
    let bytes = 0;
    const fitting = found.filter((row, index) => {
      bytes += Number(row.bytes);
      return index === 0 || bytes <= SLICE_BYTES;
    });
    const isLast = fitting.length === found.length && (found.length < SLICE_LETTERS || filter.limit === found.length);
    return { ids: fitting.map(({ id }) => Number(id)), isLast };
  }

  function putBack({ id, destination, lane, uuid, body }: DeadLetter, now: number): void {
    const text = refresh(body);
    const bytes = frameOf(uuid, Buffer.from(text));
    const seq = positions.nextSeq(lane);
    const run = { lane, count: 1, bytes: bytes.length, firstSeq: seq, committedAt: now };
    const said = groupPropertiesIn(text);
    if (said) knowledge.apply({ kind: "resent", ...said, destination, seq });
    const notes = { only: destination, replayed: [id], changes: knowledge.takeChanges() };
    outbox.add({ runs: [run], ids: NO_IDS, notes }, { bytes, ranges: [0, bytes.length] });
    positions.appended({ ...run, onlyDestination: destination });
    remove.run(id);
  }

  return {
    add: ({ destination, uuid, lane, reason, attempts, firstAttemptAt, diedAt, body }) => {
      insert.run(destination, uuid, lane, reason, attempts, firstAttemptAt, diedAt, body);
    },
    list,
    replay({ filter, after, upTo }, now) {
      const last = upTo ?? Number(newest.get()?.id ?? 0);
      const { ids, isLast } = sliceOf(filter, after, last);
      for (const letter of ids.flatMap((id) => byId.all(id).map(letterOf))) putBack(letter, now);
      return { replayed: ids.length, after: isLast ? null : (ids.at(-1) ?? null), upTo: last };
    },
    drop(filter) {
      const { where, values } = conditionsOf(filter);
      const dropped = `SELECT id FROM dead_letters ${where} ORDER BY id LIMIT ?`;
      const { changes } = database
        .prepare(`DELETE FROM dead_letters WHERE id IN (${dropped})`)
        .run(...values, filter.limit ?? -1);
      return Number(changes);
    },
    remove: (id) => void remove.run(id),
    count: (destination) => Number(countOf.get(destination)?.letters ?? 0),
  };
}

function conditionsOf(
  { ids, destination }: DeadLetterFilter,
  others: readonly (readonly [condition: string, value: SQLInputValue])[] = [],
): { where: string; values: SQLInputValue[] } {
  const all = [...others];
  if (ids) all.push(["id IN (SELECT value FROM json_each(?))", JSON.stringify(ids)]);
  if (destination !== undefined) all.push(["destination = ?", destination]);
  const where = all.length > 0 ? `WHERE ${all.map(([condition]) => condition).join(" AND ")}` : "";
  return { where, values: all.map(([, value]) => value) };
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
