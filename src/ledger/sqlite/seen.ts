/** Ids of the records already taken. Time-ordered UUIDs: new ones go to the end of the index, where it is cheap. */

import type { DatabaseSync } from "node:sqlite";
import { ID_BYTES } from "../../core/parcel.ts";
import type { PruneSlice } from "./protocol.ts";

export interface Seen {
  /** Adds ids laid end to end; gives the places of those that were there, or stand earlier among them, ascending. */
  add(ids: Buffer, now: number): readonly number[];
  has(id: Uint8Array): boolean;
  /** Looks at the next ids after `after` (null: from the first) and forgets those not seen for `seenDays`. */
  pruneSlice(after: Uint8Array | null, now: number): PruneSlice;
}

const DAY_MS = 86_400_000;
const PRUNE_SLICE = 5_000;
/** Ids added by one statement. */
const MOST_AT_ONCE = 4_096;

export function createSeen(database: DatabaseSync, seenDays: number): Seen {
  database.exec(`
    PRAGMA temp_store = MEMORY;
    CREATE TEMP TABLE places (place INTEGER PRIMARY KEY);
    INSERT INTO places WITH RECURSIVE counted (place) AS
      (SELECT 0 UNION ALL SELECT place + 1 FROM counted WHERE place + 1 < ${MOST_AT_ONCE}) SELECT place FROM counted;
  `);
  // All in one statement: one for each id would cost twice as much.
  const insertAll = database.prepare(
    `INSERT INTO seen (id, day) SELECT substr(?1, place * ${ID_BYTES} + 1, ${ID_BYTES}), ?2 FROM places WHERE place < ?3
     ON CONFLICT DO NOTHING`,
  );
  const insert = database.prepare("INSERT INTO seen (id, day) VALUES (?, ?) ON CONFLICT DO NOTHING");
  const select = database.prepare("SELECT 1 FROM seen WHERE id = ?");
  const sliceEnd = database.prepare("SELECT id FROM seen WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?");
  const forget = database.prepare("DELETE FROM seen WHERE id > ? AND id <= ? AND day < ?");
  const dayOf = (now: number) => Math.floor(now / DAY_MS);

  /** One by one, to see which were there. */
  function addEach(ids: Buffer, day: number): readonly number[] {
    const known: number[] = [];
    for (let place = 0; place * ID_BYTES < ids.length; place++) {
      const id = ids.subarray(place * ID_BYTES, (place + 1) * ID_BYTES);
      if (insert.run(id, day).changes === 0) known.push(place);
    }
    return known;
  }

  function addSome(ids: Buffer, day: number): readonly number[] {
    const count = ids.length / ID_BYTES;
    database.exec("SAVEPOINT ids");
    const isAllNew = insertAll.run(ids, day, count).changes === count;
    if (!isAllNew) database.exec("ROLLBACK TO ids");
    const known = isAllNew ? [] : addEach(ids, day);
    database.exec("RELEASE ids");
    return known;
  }

  return {
    add(ids, now) {
      const known: number[] = [];
      for (let from = 0; from < ids.length; from += MOST_AT_ONCE * ID_BYTES) {
        const some = addSome(ids.subarray(from, from + MOST_AT_ONCE * ID_BYTES), dayOf(now));
        for (const place of some) known.push(place + from / ID_BYTES);
      }
      return known;
    },
    has: (id) => select.get(id) !== undefined,
    pruneSlice(after, now) {
      const from = after ?? BEFORE_ALL;
      const end = sliceEnd.get(from, PRUNE_SLICE - 1)?.id;
      const last = end instanceof Uint8Array ? end : AFTER_ALL;
      const { changes } = forget.run(from, last, dayOf(now) - seenDays);
      return { after: last === AFTER_ALL ? null : last, forgotten: Number(changes) };
    },
  };
}

const BEFORE_ALL = new Uint8Array(0);
const AFTER_ALL = new Uint8Array(17).fill(0xff);
