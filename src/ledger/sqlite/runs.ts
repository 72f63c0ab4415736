/** The runs of sources, the last ones of each. */

import type { DatabaseSync } from "node:sqlite";
import type { Run, RunFilter } from "../../core/runs.ts";

export interface RunsTable {
  /** In the place of what was kept of the run of this source that began then. */
  put(run: Run): void;
  /** Newest first. */
  list(filter: RunFilter): readonly Run[];
  prune(): void;
}

export const RUNS = `
  CREATE TABLE IF NOT EXISTS runs (
    source TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    run TEXT NOT NULL,
    PRIMARY KEY (source, started_at)
  ) WITHOUT ROWID;
`;

const KEPT_PER_SOURCE = 1000;

export function createRunsTable(database: DatabaseSync): RunsTable {
  const upsert = database.prepare(
    "INSERT INTO runs (source, started_at, run) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET run = excluded.run",
  );
  const newest = database.prepare(
    "SELECT run FROM runs WHERE ?1 IS NULL OR source = ?1 ORDER BY started_at DESC, source LIMIT ?2",
  );
  const forget = database.prepare(
    `DELETE FROM runs WHERE started_at < (SELECT min(started_at) FROM (SELECT started_at FROM runs AS own
       WHERE own.source = runs.source ORDER BY started_at DESC LIMIT ${KEPT_PER_SOURCE}))`,
  );
  return {
    put: (run) => void upsert.run(run.source, run.startedAt, JSON.stringify(run)),
    list: ({ source, limit }) => newest.all(source ?? null, limit).map(({ run }) => JSON.parse(String(run))),
    prune: () => void forget.run(),
  };
}
