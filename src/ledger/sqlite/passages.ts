/** When each destination got past which message of which lane: so that of any message it can be said when it was delivered. */

import type { DatabaseSync } from "node:sqlite";
import type { Positions } from "./positions.ts";

export interface Passages {
  /** The destination is past all messages before `next`. */
  add(destination: string, lane: number, next: number, now: number): void;
  /**
   * ms UTC; `waiting` when it was not delivered, null when it was so long ago that nobody knows, `never` when it was not
   * for the destination, which was added later.
   */
  of(destination: string, lane: number, seq: number): number | "waiting" | "never" | null;
  prune(now: number): void;
}

const DAY_MS = 86_400_000;
const KEPT_MS = 30 * DAY_MS;

export function createPassages(database: DatabaseSync, positions: Pick<Positions, "of" | "waitsFrom">): Passages {
  const insert = database.prepare("INSERT INTO passages VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
  const first = database.prepare(
    "SELECT at FROM passages WHERE destination = ? AND lane = ? AND next_seq > ? ORDER BY next_seq LIMIT 1",
  );
  // The last of those forgotten stays, without its time: else what it was past would count as passed with the next.
  const forget = database.prepare(
    `DELETE FROM passages WHERE at < ?1 AND EXISTS (SELECT 1 FROM passages AS later WHERE later.at < ?1
       AND later.destination = passages.destination AND later.lane = passages.lane AND later.next_seq > passages.next_seq)`,
  );
  const forgetTime = database.prepare("UPDATE passages SET at = 0 WHERE at < ? AND at > 0");
  return {
    add: (destination, lane, next, now) => void insert.run(destination, lane, next, now),
    of(destination, lane, seq) {
      if (positions.of(destination, lane).next <= seq) {
        return positions.waitsFrom(destination, lane) <= seq ? "waiting" : "never";
      }
      const at = first.get(destination, lane, seq)?.at;
      return typeof at === "number" && at > 0 ? at : null;
    },
    prune(now) {
      forget.run(now - KEPT_MS);
      forgetTime.run(now - KEPT_MS);
    },
  };
}
