/** Aliases of groups, those that two groups claim, and records that wait for one. */

import type { DatabaseSync } from "node:sqlite";
import type { Change, Collision, Identify, Knowledge } from "../../../core/attribution/knowledge.ts";

export interface Keys extends Pick<Knowledge, "alias" | "parked"> {
  apply(change: Extract<Change, { kind: "alias" | "collision" | "park" | "release" }>): void;
  aliasesOf(groupType: string, groupKey: string): readonly string[];
  collisions(limit: number): readonly Collision[];
  listParked(limit: number): readonly Identify[];
  counts(): { readonly aliases: number; readonly collisions: number; readonly parked: number };
}

export function createKeys(database: DatabaseSync): Keys {
  const select = database.prepare("SELECT group_key, source, at FROM aliases WHERE group_type = ? AND alias = ?");
  const upsert = database.prepare(
    `INSERT INTO aliases VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET group_key = excluded.group_key, source = excluded.source, at = excluded.at`,
  );
  const ofGroup = database.prepare("SELECT alias FROM aliases WHERE group_type = ? AND group_key = ? ORDER BY alias");
  const collide = database.prepare(
    "INSERT INTO collisions VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET source = excluded.source, at = max(at, excluded.at)",
  );
  const listCollisions = database.prepare(
    "SELECT * FROM collisions ORDER BY group_type, alias, group_key, other_key LIMIT ?",
  );
  const park = database.prepare("INSERT INTO parked (uuid, identify) VALUES (?, ?) ON CONFLICT DO NOTHING");
  const parkAlias = database.prepare("INSERT INTO parked_aliases VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  const waiting = database.prepare(
    "SELECT place, identify FROM parked WHERE uuid IN (SELECT uuid FROM parked_aliases WHERE group_type = ? AND alias = ?)",
  );
  const list = database.prepare("SELECT identify FROM parked ORDER BY place LIMIT ?");
  const release = database.prepare("DELETE FROM parked WHERE uuid = ? RETURNING identify");
  const releaseAlias = database.prepare("DELETE FROM parked_aliases WHERE group_type = ? AND alias = ? AND uuid = ?");
  const countAll = database.prepare(
    `SELECT (SELECT count(*) FROM aliases) AS aliases, (SELECT count(*) FROM collisions) AS collisions,
       (SELECT count(*) FROM parked) AS parked`,
  );

  return {
    alias(groupType, alias) {
      const row = select.get(groupType, alias);
      return row ? { groupKey: String(row.group_key), source: String(row.source), at: Number(row.at) } : null;
    },
    parked(groupType, aliases) {
      const rows = aliases.flatMap((alias) => waiting.all(groupType, alias));
      const byPlace = new Map(rows.map((row) => [Number(row.place), row]));
      return [...byPlace].sort(([one], [other]) => one - other).map(([, row]) => identifyIn(row));
    },
    apply(change) {
      switch (change.kind) {
        case "alias": {
          const { groupKey, source, at } = change.known;
          return void upsert.run(change.groupType, change.alias, groupKey, source, at);
        }
        case "collision": {
          const { groupType, alias, groupKey, otherKey, source, at } = change;
          return void collide.run(groupType, alias, groupKey, otherKey, source, at);
        }
        case "park": {
          const { uuid, groupType, aliases, mergedAliases } = change.identify;
          if (park.run(uuid, JSON.stringify(change.identify)).changes === 0) return;
          for (const alias of [...aliases, ...mergedAliases]) parkAlias.run(groupType, alias, uuid);
          return;
        }
        case "release": {
          const row = release.get(change.uuid);
          if (!row) return;
          const { groupType, aliases, mergedAliases } = identifyIn(row);
          for (const alias of [...aliases, ...mergedAliases]) releaseAlias.run(groupType, alias, change.uuid);
        }
      }
    },
    aliasesOf: (groupType, groupKey) => ofGroup.all(groupType, groupKey).map((row) => String(row.alias)),
    collisions: (limit) =>
      listCollisions.all(limit).map((row) => ({
        groupType: String(row.group_type),
        alias: String(row.alias),
        groupKey: String(row.group_key),
        otherKey: String(row.other_key),
        source: String(row.source),
        at: Number(row.at),
      })),
    listParked: (limit) => list.all(limit).map(identifyIn),
    counts() {
      const row = countAll.get();
      return { aliases: Number(row?.aliases), collisions: Number(row?.collisions), parked: Number(row?.parked) };
    },
  };
}

function identifyIn(row: Record<string, unknown>): Identify {
  return JSON.parse(String(row.identify));
}
