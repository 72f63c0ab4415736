/** What every source said of every group. States that change are written once a transaction. */

import type { DatabaseSync } from "node:sqlite";
import { changedGroup, changeGroup, owingGroup, resentGroup } from "../../../core/attribution/changed-group.ts";
import {
  type Change,
  compareText,
  type GroupState,
  type Knowledge,
  type Resent,
} from "../../../core/attribution/knowledge.ts";
import { createCache } from "./cache.ts";

/** Characters of JSON text. */
const CACHED = 16 * 1024 * 1024;

export interface GroupName {
  readonly groupType: string;
  readonly groupKey: string;
}

export interface Groups extends Pick<Knowledge, "group" | "typeSharing"> {
  change(change: Extract<Change, { kind: "group" }>): void;
  /** As `group`, for whoever looks at all groups in turn: what is in memory for others stays. */
  passing(groupType: string, groupKey: string): GroupState | null;
  /** Known groups only. */
  resent(change: Resent): void;
  /** Properties of the group that never arrived at a destination. */
  markUnsent(group: GroupName & { readonly destination: string }, names: readonly string[]): void;
  /** By type, then key, in the order of code points; groups after one, at most `limit`. Not those changed in the transaction. */
  after(last: GroupName | null, limit: number): readonly (GroupName & { readonly state: GroupState })[];
  /** Group types of each key that more than one has. */
  sharedKeys(limit: number): readonly { readonly groupKey: string; readonly groupTypes: readonly string[] }[];
  counts(): Readonly<Record<string, number>>;
  flush(): void;
  /** The transaction was rolled back. */
  takeBack(): void;
}

export function createGroups(database: DatabaseSync): Groups {
  const select = database.prepare("SELECT state FROM group_states WHERE group_type = ? AND group_key = ?");
  const upsert = database.prepare(
    "INSERT INTO group_states VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state",
  );
  const sharing = database.prepare(
    "SELECT group_type FROM group_states WHERE group_key = ? AND group_type <> ? ORDER BY group_type LIMIT 1",
  );
  const shared = database.prepare(
    `SELECT group_key, json_group_array(group_type) AS group_types FROM group_states
     GROUP BY group_key HAVING count(*) > 1 ORDER BY group_key LIMIT ?`,
  );
  const page = database.prepare(
    `SELECT group_type, group_key, state FROM group_states WHERE (group_type, group_key) > (?, ?)
     ORDER BY group_type, group_key LIMIT ?`,
  );
  const counts = database.prepare("SELECT group_type, count(*) AS groups FROM group_states GROUP BY group_type");
  const cache = createCache<GroupState | null>(CACHED);
  const dirty = new Map<string, { readonly groupType: string; readonly groupKey: string; state: GroupState }>();
  /** Types of the groups among those, by key. */
  const dirtyTypes = new Map<string, Set<string>>();

  function group(groupType: string, groupKey: string): GroupState | null {
    const key = `${groupType}\0${groupKey}`;
    const waiting = dirty.get(key);
    if (waiting) return waiting.state;
    const cached = cache.get(key);
    if (cached !== undefined) return cached;
    const text = textOf(groupType, groupKey);
    const state: GroupState | null = text === null ? null : JSON.parse(text);
    cache.set(key, state, text === null ? 1 : text.length);
    return state;
  }

  function textOf(groupType: string, groupKey: string): string | null {
    const text = select.get(groupType, groupKey)?.state;
    return typeof text === "string" ? text : null;
  }

  function put(groupType: string, groupKey: string, state: GroupState): void {
    dirty.set(`${groupType}\0${groupKey}`, { groupType, groupKey, state });
    const types = dirtyTypes.get(groupKey) ?? new Set();
    dirtyTypes.set(groupKey, types.add(groupType));
  }

  function forgetDirty(): void {
    dirty.clear();
    dirtyTypes.clear();
  }

  return {
    group,
    passing(groupType, groupKey) {
      const waiting = dirty.get(`${groupType}\0${groupKey}`);
      const text = waiting ? null : textOf(groupType, groupKey);
      return waiting?.state ?? (text === null ? null : JSON.parse(text));
    },
    typeSharing(groupType, groupKey) {
      const written = sharing.get(groupKey, groupType)?.group_type;
      const others = [...(dirtyTypes.get(groupKey) ?? [])].filter((other) => other !== groupType);
      if (typeof written === "string") others.push(written);
      return others.sort(compareText)[0] ?? null;
    },
    change(change) {
      const { groupType, groupKey } = change;
      // The cached state itself is changed: taken back, the cache is emptied.
      const known = group(groupType, groupKey);
      if (known) changeGroup(known, change);
      put(groupType, groupKey, known ?? changedGroup(null, change));
    },
    resent(change) {
      const { groupType, groupKey } = change;
      const state = group(groupType, groupKey);
      if (state) put(groupType, groupKey, resentGroup(state, change));
    },
    markUnsent({ groupType, groupKey, destination }, names) {
      const state = group(groupType, groupKey);
      if (state) put(groupType, groupKey, owingGroup(state, destination, names));
    },
    after: (last, limit) =>
      page.all(last?.groupType ?? "", last?.groupKey ?? "", limit).map((row) => ({
        groupType: String(row.group_type),
        groupKey: String(row.group_key),
        state: JSON.parse(String(row.state)),
      })),
    sharedKeys: (limit) =>
      shared.all(limit).map((row) => ({
        groupKey: String(row.group_key),
        groupTypes: JSON.parse(String(row.group_types)),
      })),
    counts: () => Object.fromEntries(counts.all().map((row) => [String(row.group_type), Number(row.groups)])),
    flush() {
      for (const [key, { groupType, groupKey, state }] of dirty) {
        const text = JSON.stringify(state);
        upsert.run(groupType, groupKey, text);
        cache.set(key, state, text.length);
      }
      forgetDirty();
    },
    takeBack() {
      forgetDirty();
      cache.clear();
    },
  };
}
