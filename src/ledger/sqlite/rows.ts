/** What is remembered of the rows of sources. */

import type { DatabaseSync } from "node:sqlite";
import type { KnownRow, RowCount, RowState, UnseenQuery } from "../../core/rows.ts";

export interface RowsTable {
  put(source: string, row: KnownRow): void;
  list(query: { readonly source: string; readonly ids: readonly string[] }): readonly KnownRow[];
  unseen(query: UnseenQuery): readonly KnownRow[];
  count(query: { readonly source: string; readonly before: number }): RowCount;
}

export const ROWS = `
  CREATE TABLE IF NOT EXISTS source_rows (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    digest TEXT NOT NULL,
    told_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (source, id)
  ) WITHOUT ROWID;
`;

export function createRowsTable(database: DatabaseSync): RowsTable {
  const upsert = database.prepare(
    `INSERT INTO source_rows (source, id, digest, told_at, seen_at, state) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET digest = excluded.digest, told_at = excluded.told_at, seen_at = excluded.seen_at,
       state = excluded.state`,
  );
  const ofIds = database.prepare(
    "SELECT * FROM source_rows WHERE source = ? AND id IN (SELECT value FROM json_each(?)) ORDER BY id",
  );
  const unseen = database.prepare(
    `SELECT * FROM source_rows WHERE source = ? AND id > ? AND state = 'live' AND seen_at < ? ORDER BY id LIMIT ?`,
  );
  const count = database.prepare(
    `SELECT count(*) AS live, coalesce(sum(seen_at < ?), 0) AS unseen FROM source_rows WHERE source = ? AND state = 'live'`,
  );
  return {
    put: (source, { id, digest, toldAt, seenAt, state }) => void upsert.run(source, id, digest, toldAt, seenAt, state),
    list: ({ source, ids }) => ofIds.all(source, JSON.stringify(ids)).map(rowOf),
    unseen: ({ source, before, after, limit }) => unseen.all(source, after ?? "", before, limit).map(rowOf),
    count({ source, before }) {
      const found = count.get(before, source);
      return { live: Number(found?.live), unseen: Number(found?.unseen) };
    },
  };
}

function rowOf(row: Record<string, unknown>): KnownRow {
  return {
    id: String(row.id),
    digest: String(row.digest),
    toldAt: Number(row.told_at),
    seenAt: Number(row.seen_at),
    state: String(row.state) as RowState, // Written by `put`.
  };
}
