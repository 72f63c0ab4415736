/** Changes to groups, merged as PostHog merges them: shallowly, in order of arrival, null being a value. */

import { isDeepStrictEqual } from "node:util";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { JsonObject } from "../core/json.ts";
import { createRowAppender, integer, text, timestamp } from "./append-rows.ts";
import { type GroupChange, writeJson } from "./decode.ts";

interface GroupState {
  readonly groupIndex: number;
  readonly groupKey: string;
  readonly properties: JsonObject;
  /** ms UTC; null for a group that is stored already: its time stands. */
  readonly createdAt: number | null;
  /** ms UTC; null for a group that is stored and not changed. */
  readonly updatedAt: number | null;
}

const LOAD = `
  SELECT g.group_index, g.group_key, g.properties
  FROM groups g JOIN touched_groups t ON g.group_index = t.group_index AND g.group_key = t.group_key`;

const UPDATE = `
  UPDATE groups g SET name = c.name, properties = c.properties, updated_at = c.updated_at
  FROM changed_groups c WHERE g.group_index = c.group_index AND g.group_key = c.group_key`;

const KEY = [integer<GroupState>((group) => group.groupIndex), text<GroupState>((group) => group.groupKey)];
const CONTENT = [text(nameOf), text<GroupState>((group) => writeJson(group.properties))];
const CREATED = timestamp<GroupState>((group) => group.createdAt ?? 0);
const UPDATED = timestamp<GroupState>((group) => group.updatedAt ?? 0);

const appendTouched = createRowAppender(KEY);
const appendChanged = createRowAppender([...KEY, ...CONTENT, UPDATED]);
const appendNew = createRowAppender([...KEY, ...CONTENT, CREATED, UPDATED]);

/** In the open transaction. */
export async function applyGroupChanges(connection: DuckDBConnection, changes: readonly GroupChange[]): Promise<void> {
  if (changes.length === 0) return;
  const groups = await loadGroups(connection, changes);
  for (const change of changes) {
    const id = idOf(change.groupIndex, change.groupKey);
    groups.set(id, merge(groups.get(id) ?? newGroup(change), change));
  }
  const changed = [...groups.values()].filter((group) => group.updatedAt !== null);
  await insertGroups(
    connection,
    changed.filter((group) => group.createdAt !== null),
  );
  await updateGroups(
    connection,
    changed.filter((group) => group.createdAt === null),
  );
}

function newGroup({ groupIndex, groupKey, occurredAt, arrivedAt }: GroupChange): GroupState {
  const createdAt = Math.min(occurredAt, arrivedAt);
  return { groupIndex, groupKey, properties: {}, createdAt, updatedAt: arrivedAt };
}

function merge(group: GroupState, { properties, removed, arrivedAt }: GroupChange): GroupState {
  // Spread, not assignment: a property may be called `__proto__`.
  const merged: JsonObject = { ...group.properties, ...properties };
  for (const name of removed) delete merged[name];
  return isDeepStrictEqual(merged, group.properties) ? group : { ...group, properties: merged, updatedAt: arrivedAt };
}

async function loadGroups(
  connection: DuckDBConnection,
  changes: readonly GroupChange[],
): Promise<Map<string, GroupState>> {
  const touched = new Map(changes.map((change) => [idOf(change.groupIndex, change.groupKey), newGroup(change)]));
  await connection.run("DELETE FROM touched_groups");
  appendTouched(await connection.createAppender("touched_groups", null, "temp"), [...touched.values()]);
  const loaded = new Map<string, GroupState>();
  for (const [index, key, properties] of (await connection.runAndReadAll(LOAD)).getRowsJS()) {
    const groupIndex = Number(index);
    const groupKey = String(key);
    loaded.set(idOf(groupIndex, groupKey), {
      groupIndex,
      groupKey,
      // What we wrote ourselves, from an object.
      properties: JSON.parse(String(properties)) as JsonObject,
      createdAt: null,
      updatedAt: null,
    });
  }
  return loaded;
}

async function insertGroups(connection: DuckDBConnection, groups: readonly GroupState[]): Promise<void> {
  if (groups.length === 0) return;
  appendNew(await connection.createAppender("groups"), groups);
}

async function updateGroups(connection: DuckDBConnection, groups: readonly GroupState[]): Promise<void> {
  if (groups.length === 0) return;
  await connection.run("DELETE FROM changed_groups");
  appendChanged(await connection.createAppender("changed_groups", null, "temp"), groups);
  await connection.run(UPDATE);
}

/** What PostHog shows: the group's name if it has one, else its key. */
function nameOf({ properties: { name }, groupKey }: GroupState): string {
  if (typeof name === "number") return String(name);
  return typeof name === "string" && name !== "" ? name : groupKey;
}

function idOf(groupIndex: number, groupKey: string): string {
  return `${groupIndex}\n${groupKey}`;
}
