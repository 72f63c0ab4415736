/** Group types and groups. */

import type { DuckDBConnection } from "@duckdb/node-api";
import type { Group, GroupPage, GroupsQuery, GroupType } from "../core/analytics.ts";
import { PrickleError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { type GroupSlots, slotOf } from "./group-slots.ts";

const MAX_PAGE = 10_000;

/** A group without any property is not listed, as in PostHog. */
const LISTED = "properties <> '{}'";

const COUNT_BY_TYPE = `SELECT group_index, count(*)::DOUBLE FROM groups WHERE ${LISTED} GROUP BY group_index`;

const MATCHING = `
  FROM groups WHERE group_index = $groupIndex AND ${LISTED}
  AND ($search = '' OR contains(lower(group_key), lower($search)) OR contains(lower(name), lower($search)))`;

const COUNT = `SELECT count(*)::DOUBLE ${MATCHING}`;

const PAGE = `
  SELECT group_key, name, properties, epoch_ms(created_at)::DOUBLE, epoch_ms(updated_at)::DOUBLE ${MATCHING}
  ORDER BY name, group_key LIMIT $limit OFFSET $offset`;

export async function listGroupTypes(connection: DuckDBConnection, slots: GroupSlots): Promise<readonly GroupType[]> {
  const rows = (await connection.runAndReadAll(COUNT_BY_TYPE)).getRowsJS();
  const counts = new Map(rows.map(([index, groups]) => [Number(index), Number(groups)]));
  return slots.map((groupType, index) => ({ groupType, index, groups: counts.get(index) ?? 0 }));
}

/** @throws NOT_FOUND, INPUT_INVALID */
export async function listGroups(
  connection: DuckDBConnection,
  slots: GroupSlots,
  { groupType, limit, offset, search = "" }: GroupsQuery,
): Promise<GroupPage> {
  const matching = { groupIndex: slotOf(slots, groupType), search: search.toWellFormed() };
  requireWhole("limit", limit, 1, MAX_PAGE);
  requireWhole("offset", offset, 0, Number.MAX_SAFE_INTEGER);
  const [[total] = []] = (await connection.runAndReadAll(COUNT, matching)).getRowsJS();
  const page = await connection.runAndReadAll(PAGE, { ...matching, limit: BigInt(limit), offset: BigInt(offset) });
  return { groupType, total: Number(total), groups: page.getRowsJS().map(toGroup) };
}

function toGroup([groupKey, name, properties, createdAt, updatedAt]: readonly unknown[]): Group {
  return {
    groupKey: String(groupKey),
    name: String(name),
    // What we wrote ourselves, from an object.
    properties: JSON.parse(String(properties)) as JsonObject,
    createdAt: new Date(Number(createdAt)).toISOString(),
    updatedAt: new Date(Number(updatedAt)).toISOString(),
  };
}

function requireWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new PrickleError("INPUT_INVALID", `${name}: found ${value}`, {
    hint: `It is a whole number from ${least} to ${most}.`,
  });
}
