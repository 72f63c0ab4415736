/** Brings what a record of the log notes beside its messages into the tables: as it happens, or when the log is found to know more than they do. */

import type { DatabaseSync } from "node:sqlite";
import type { Counters } from "./counters.ts";
import type { DeadLetters } from "./dead-letters/dead-letters.ts";
import type { KnownGroupsTable } from "./known-groups-table.ts";
import type { LogNotes } from "./log-record.ts";
import type { Rejections } from "./rejections.ts";
import type { RowsTable } from "./rows.ts";

export interface NotesDependencies {
  readonly database: DatabaseSync;
  readonly rejections: Rejections;
  readonly counters: Counters;
  readonly deadLetters: DeadLetters;
  readonly knownGroups: KnownGroupsTable;
  readonly rows: RowsTable;
}

export function createApplyNotes(dependencies: NotesDependencies) {
  const { database, rejections, counters, deadLetters, knownGroups, rows } = dependencies;
  const putCheckpoint = database.prepare(
    "INSERT INTO checkpoints (name, cursor) VALUES (?, ?) ON CONFLICT DO UPDATE SET cursor = excluded.cursor",
  );
  return (notes: LogNotes): void => {
    counters.add("committed", notes.committed ?? 0);
    counters.add("duplicates", notes.duplicates ?? 0);
    counters.add("saved", notes.saved ?? 0);
    counters.add("stale", notes.stale ?? 0);
    counters.add("attributed", notes.attributed ?? 0);
    for (const rejection of notes.rejections ?? []) {
      if (rejections.keep(rejection)) counters.add(`rejected:${rejection.reason}`, 1);
    }
    for (const group of notes.groups ?? []) knownGroups.put(group);
    for (const [source, known] of notes.rows ?? []) for (const row of known) rows.put(source, row);
    for (const [name, cursor] of notes.checkpoints ?? []) putCheckpoint.run(name, cursor);
    for (const id of notes.replayed ?? []) deadLetters.remove(id);
  };
}
