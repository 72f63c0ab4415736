/** Ids of the records already taken. Time-ordered UUIDs: new ones go to the end of the index, where it is cheap. */

import type { DatabaseSync } from "node:sqlite";
import type { PruneSlice } from "./protocol.ts";

export interface Seen {
  /** False when the id was there. */
  add(id: Uint8Array, now: number): boolean;
  /** Looks at the next ids after `after` (null: from the first) and forgets those not seen for `seenDays`. */
  pruneSlice(after: Uint8Array | null, now: number): PruneSlice;
}

const DAY_MS = 86_400_000;
const SLICE = 5_000;

export function createSeen(database: DatabaseSync, seenDays: number): Seen {
  const insert = database.prepare("INSERT INTO seen (id, day) VALUES (?, ?) ON CONFLICT DO NOTHING");
  const sliceEnd = database.prepare("SELECT id FROM seen WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?");
  const forget = database.prepare("DELETE FROM seen WHERE id > ? AND id <= ? AND day < ?");
  const dayOf = (now: number) => Math.floor(now / DAY_MS);
  return {
    add: (id, now) => insert.run(id, dayOf(now)).changes === 1,
    pruneSlice(after, now) {
      const from = after ?? BEFORE_ALL;
      const end = sliceEnd.get(from, SLICE - 1)?.id;
      const last = end instanceof Uint8Array ? end : AFTER_ALL;
      const { changes } = forget.run(from, last, dayOf(now) - seenDays);
      return { after: last === AFTER_ALL ? null : last, forgotten: Number(changes) };
    },
  };
}

const BEFORE_ALL = new Uint8Array(0);
const AFTER_ALL = new Uint8Array(17).fill(0xff);
