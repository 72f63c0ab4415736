/** What became of companies that are listed no more: still there, archived, merged into another, or gone (facts: HubSpot, 8). */

import type { Fate, Row } from "../../core/row-source.ts";
import type { BatchRead } from "./batch-read.ts";
import { archivedRemoval, mergedRemoval } from "./removed.ts";
import type { WireRow } from "./wire.ts";

export interface FateOptions {
  readonly readLive: BatchRead;
  readonly readArchived: BatchRead;
  /** Into which company one was merged, by its id. */
  readonly merges: (signal: AbortSignal) => Promise<ReadonlyMap<string, string>>;
  readonly readCompany: (row: WireRow) => Row;
}

/** Those of which nothing is found are gone, and left out. */
export async function fatesOf(options: FateOptions, ids: readonly string[], signal: AbortSignal): Promise<Fate[]> {
  const { readLive, readArchived, merges, readCompany } = options;
  const live = await readLive(ids, signal);
  const away = without(ids, live.rows);
  const archived = await readArchived(away, signal);
  const vanished = without(away, archived.rows);
  const into = vanished.length === 0 ? new Map<string, string>() : await merges(signal);
  return [
    ...live.rows.map((row) => ({ id: row.id, state: "live" as const, row: readCompany(row), readAt: live.at })),
    ...archived.rows.map(({ id, archivedAt }) => archivedRemoval(id, archivedAt)),
    ...vanished.flatMap((id) => {
      const survivor = into.get(id);
      return survivor === undefined ? [] : [mergedRemoval({ id, into: survivor })];
    }),
  ];
}

function without(ids: readonly string[], rows: readonly WireRow[]): readonly string[] {
  const found = new Set(rows.map(({ id }) => id));
  return ids.filter((id) => !found.has(id));
}
