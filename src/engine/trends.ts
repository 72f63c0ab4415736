/** Unique groups over time. Source of the rules: facts on PostHog, 9 and 9.1 (2026-11). */

import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import {
  TREND_INTERVALS,
  type TrendInterval,
  type TrendSeries,
  type Trends,
  type TrendsQuery,
} from "../core/analytics.ts";
import { PrickleError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { timestampOf } from "./append-rows.ts";
import { type GroupSlots, slotOf } from "./group-slots.ts";
import { intervalsIn, nameOf, readBound, type TrendRange } from "./trend-range.ts";

/** Values of a breakdown with a series of their own: those with the most groups. */
const MAX_BREAKDOWN_VALUES = 25;
/** What PostHog calls the series of all other values. */
export const OTHER_VALUES = "$$_posthog_breakdown_other_$$";

/** The day on which the interval of an event starts, as days since 1970. */
const START_OF: Readonly<Record<TrendInterval, string>> = {
  day: "occurred_at::DATE",
  week: "occurred_at::DATE - dayofweek(occurred_at)::INTEGER",
  month: "date_trunc('month', occurred_at)::DATE",
};

type Parameters = Record<string, DuckDBValue>;

/**
 * Distinct groups of a type per interval. "Any event" counts whatever carries a group, as in PostHog: a group identify
 * does only if it has `$groups` of its own. The range defaults to the first and last event that matches.
 * @throws NOT_FOUND, INPUT_INVALID
 */
export async function queryTrends(
  connection: DuckDBConnection,
  slots: GroupSlots,
  query: TrendsQuery,
): Promise<Trends> {
  const { groupType, event, interval, breakdown } = query;
  requireInterval(interval);
  const matching = matchingEvents(slotOf(slots, groupType), query);
  const range = await rangeOf(connection, query, matching);
  const starts = range ? intervalsIn(range, interval) : [];
  const counted = await countGroups(connection, matching, interval);
  const series = breakdown === null && counted.length === 0 ? [NO_GROUPS] : counted;
  return { groupType, event, interval, series: series.map((one) => fill(one, starts)) };
}

interface Matching {
  /** Rows of `occurred_at`, `group_key`, `value`. */
  readonly sql: string;
  readonly parameters: Parameters;
}

/** Only constants of ours are put into the text; all that comes from outside is a parameter. */
function matchingEvents(groupIndex: number, { event, from, to, breakdown }: TrendsQuery): Matching {
  const conditions = [`group_${groupIndex} IS NOT NULL`];
  const parameters: Parameters = {};
  const first = readBound("from", from);
  const last = readBound("to", to);
  if (first !== null && last !== null && first > last) throw backwards(from, to);
  if (first !== null) {
    conditions.push("occurred_at >= $first");
    parameters.first = timestampOf(first);
  }
  if (last !== null) {
    conditions.push("occurred_at < $after");
    parameters.after = timestampOf(last + 1);
  }
  if (event !== null) {
    conditions.push("event = $event");
    parameters.event = event.toWellFormed();
  }
  if (breakdown !== null) parameters.pointer = jsonPointer(breakdown);
  const value = breakdown === null ? "NULL" : "nullif(json_extract(properties, $pointer)::VARCHAR, 'null')";
  const columns = `occurred_at, group_${groupIndex} AS group_key, ${value} AS value`;
  return { sql: `SELECT ${columns} FROM events WHERE ${conditions.join(" AND ")}`, parameters };
}

/** Null when there is no event to take a missing bound from. */
async function rangeOf(
  connection: DuckDBConnection,
  { from, to }: TrendsQuery,
  { sql, parameters }: Matching,
): Promise<TrendRange | null> {
  const asked = { first: readBound("from", from), last: readBound("to", to) };
  if (asked.first !== null && asked.last !== null) return { first: asked.first, last: asked.last };
  const bounds = `SELECT epoch_ms(min(occurred_at))::DOUBLE, epoch_ms(max(occurred_at))::DOUBLE FROM (${sql})`;
  const [[first, last] = []] = (await connection.runAndReadAll(bounds, parameters)).getRowsJS();
  if (typeof first !== "number" || typeof last !== "number") return null;
  return { first: asked.first ?? first, last: asked.last ?? last };
}

interface Counted {
  readonly value: JsonValue;
  readonly total: number;
  /** Day an interval starts on → groups. */
  readonly groups: ReadonlyMap<number, number>;
}

const NO_GROUPS: Counted = { value: null, total: 0, groups: new Map() };

/** Rows without a start hold the total of their series. Groups are made distinct before they are counted, which can spill to disk. */
async function countGroups(
  connection: DuckDBConnection,
  { sql, parameters }: Matching,
  interval: TrendInterval,
): Promise<readonly Counted[]> {
  const rows = await connection.runAndReadAll(
    `WITH seen AS MATERIALIZED (
       SELECT DISTINCT value, group_key, date_diff('day', DATE '1970-01-01', ${START_OF[interval]}) AS start FROM (${sql})),
     ranked AS (
       SELECT value, row_number() OVER (ORDER BY count(DISTINCT group_key) DESC, value NULLS LAST) AS place FROM seen GROUP BY value),
     top AS MATERIALIZED (SELECT value, place FROM ranked WHERE place <= ${MAX_BREAKDOWN_VALUES})
     SELECT place::DOUBLE, any_value(top.value), start::DOUBLE, count(DISTINCT group_key)::DOUBLE
     FROM seen LEFT JOIN top ON seen.value IS NOT DISTINCT FROM top.value
     GROUP BY GROUPING SETS ((place, start), (place)) ORDER BY place NULLS LAST, start NULLS FIRST`,
    parameters,
  );
  const series = new Map<unknown, { value: JsonValue; total: number; groups: Map<number, number> }>();
  for (const [place, value, start, groups] of rows.getRowsJS()) {
    const known = series.get(place);
    if (known) known.groups.set(Number(start), Number(groups));
    else series.set(place, { value: breakdownValueOf(place, value), total: Number(groups), groups: new Map() });
  }
  return [...series.values()];
}

function breakdownValueOf(place: unknown, value: unknown): JsonValue {
  if (place === null) return OTHER_VALUES;
  // JSON text that DuckDB cut out of what we wrote ourselves.
  return value === null ? null : (JSON.parse(String(value)) as JsonValue);
}

function fill({ value, total, groups }: Counted, starts: readonly number[]): TrendSeries {
  const points = starts.map((start) => ({ start: nameOf(start), uniqueGroups: groups.get(start) ?? 0 }));
  return { breakdownValue: value, total, points };
}

/** RFC 6901, so that any name is only a name. */
function jsonPointer(property: string): string {
  return `/${property.toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function requireInterval(interval: string): void {
  if (TREND_INTERVALS.some((known) => known === interval)) return;
  throw new PrickleError("INPUT_INVALID", `interval: found ${JSON.stringify(interval)}`, {
    hint: `It is one of ${TREND_INTERVALS.join(", ")}.`,
  });
}

function backwards(from: string | null, to: string | null): PrickleError {
  return new PrickleError("INPUT_INVALID", `The range ends before it begins: from ${from} to ${to}`, {
    hint: "Both are inclusive; swap them.",
  });
}
