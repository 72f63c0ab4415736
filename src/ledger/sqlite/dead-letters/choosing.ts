/** Which dead letters a filter means, slice by slice: so that neither looking nor what follows keeps commits waiting. */

import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { DeadLetterFilter } from "../../../core/dead-letter.ts";
import type { DeadLetterRequest, DeadLetterSlice } from "../protocol.ts";

export interface Choosing {
  /** By id. `destinations`: only theirs. */
  next(request: DeadLetterRequest, destinations?: readonly string[]): Chosen;
}

export interface Chosen extends DeadLetterSlice {
  readonly chosen: readonly Choice[];
}

export interface Choice {
  readonly id: number;
  readonly destination: string;
  readonly uuid: string;
}

/** Looked at, and chosen, at a time; a single larger letter is chosen alone. */
const SLICE_LETTERS = 1_000;
const SLICE_BYTES = 4 * 1024 * 1024;

type Condition = readonly [sql: string, ...values: readonly SQLInputValue[]];

export function createChoosing(database: DatabaseSync): Choosing {
  const newest = database.prepare("SELECT max(id) AS id FROM dead_letters");
  return {
    next({ filter, after, upTo }, destinations) {
      const last = upTo ?? Number(newest.get()?.id ?? 0);
      const within = allOf([["id > ?", after], ["id <= ?", last], ...indexedConditions(filter, destinations)]);
      const matching = allOf(otherConditions(filter));
      const rows = database
        .prepare(
          `SELECT id, destination, uuid, length(body) AS bytes, ${matching.sql} AS matches FROM
             (SELECT * FROM dead_letters WHERE ${within.sql} ORDER BY id LIMIT ${SLICE_LETTERS})`,
        )
        .all(...matching.values, ...within.values);
      const most = filter.limit ?? Number.POSITIVE_INFINITY;
      const chosen: Choice[] = [];
      let bytes = 0;
      let lookedAt = 0;
      for (const { id, destination, uuid, bytes: size, matches } of rows) {
        if (chosen.length >= most) break;
        if (matches === 1) {
          bytes += Number(size);
          if (chosen.length > 0 && bytes > SLICE_BYTES) break;
          chosen.push({ id: Number(id), destination: String(destination), uuid: String(uuid) });
        }
        lookedAt += 1;
      }
      const isLast = chosen.length >= most || (lookedAt === rows.length && rows.length < SLICE_LETTERS);
      const next = isLast ? null : Number(rows[lookedAt - 1]?.id);
      return { chosen, count: chosen.length, after: next, upTo: last };
    },
  };
}

function allOf(conditions: readonly Condition[]): { readonly sql: string; readonly values: readonly SQLInputValue[] } {
  if (conditions.length === 0) return { sql: "1", values: [] };
  const sql = conditions.map(([text]) => `(${text})`).join(" AND ");
  return { sql, values: conditions.flatMap(([, ...values]) => values) };
}

/** What an index finds. */
function indexedConditions(
  { ids, destination }: DeadLetterFilter,
  destinations: readonly string[] | undefined,
): readonly Condition[] {
  const conditions: Condition[] = [];
  if (ids) conditions.push(["id IN (SELECT value FROM json_each(?))", JSON.stringify(ids)]);
  if (destination !== undefined) conditions.push(["destination = ?", destination]);
  if (destinations) conditions.push(["destination IN (SELECT value FROM json_each(?))", JSON.stringify(destinations)]);
  return conditions;
}

/** What has to be looked at. */
function otherConditions(filter: DeadLetterFilter): readonly Condition[] {
  const { reason, event, groupType, groupKey, diedFrom, diedBefore } = filter;
  const conditions: Condition[] = [];
  if (reason !== undefined) conditions.push(["instr(lower(reason), lower(?)) > 0", reason]);
  if (diedFrom !== undefined) conditions.push(["died_at >= ?", diedFrom]);
  if (diedBefore !== undefined) conditions.push(["died_at < ?", diedBefore]);
  if (event !== undefined) conditions.push([inMessage("json_extract(CAST(body AS TEXT), '$.event') = ?"), event]);
  if (groupType !== undefined) {
    const key = groupKey ?? null;
    conditions.push([inMessage(IS_OF_GROUP), groupType, key, key, groupType, key, key]);
  }
  return conditions;
}

/** Of a message about a group, and of an event that names it; of any of the type, if the key is null. */
const IS_OF_GROUP = `
  (json_extract(CAST(body AS TEXT), '$.properties."$group_type"') = ?
    AND (? IS NULL OR json_extract(CAST(body AS TEXT), '$.properties."$group_key"') = ?))
  OR EXISTS (SELECT 1 FROM json_each(CAST(body AS TEXT), '$.properties."$groups"') WHERE key = ? AND (? IS NULL OR value = ?))`;

/** A text that is no JSON has none of it. */
function inMessage(sql: string): string {
  return `CASE WHEN json_valid(CAST(body AS TEXT)) THEN coalesce((${sql}), 0) ELSE 0 END`;
}
