/** What is known of groups that mappings ask for. */

import type { DatabaseSync } from "node:sqlite";
import type { RememberedGroup } from "../../core/group-memory.ts";

export interface KnownGroupsTable {
  put(group: RememberedGroup): void;
  list(groupTypes: readonly string[]): readonly RememberedGroup[];
}

export function createKnownGroupsTable(database: DatabaseSync): KnownGroupsTable {
  const upsert = database.prepare(
    `INSERT INTO known_groups (group_type, group_key, properties, occurred_at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET properties = excluded.properties, occurred_at = excluded.occurred_at`,
  );
  const ofTypes = database.prepare(
    "SELECT * FROM known_groups WHERE group_type IN (SELECT value FROM json_each(?)) ORDER BY group_type, group_key",
  );
  return {
    put: ({ groupType, groupKey, properties, occurredAt }) =>
      void upsert.run(groupType, groupKey, JSON.stringify(properties), occurredAt),
    list: (groupTypes) =>
      ofTypes.all(JSON.stringify(groupTypes)).map((row) => ({
        groupType: String(row.group_type),
        groupKey: String(row.group_key),
        properties: JSON.parse(String(row.properties)),
        occurredAt: Number(row.occurred_at),
      })),
  };
}
