/** Events into the engine, each once. */

import type { DuckDBConnection } from "@duckdb/node-api";
import { createRowAppender, text, timestamp, timestampOf, uuid } from "./append-rows.ts";
import type { EventRow } from "./decode.ts";
import { DAY_MS } from "./instant.ts";

/** Bounded by the batch's days, so that DuckDB skips what lies outside; the rest is told apart here. */
const SAME_UUID = `
  SELECT e.uuid::VARCHAR, e.event, e.distinct_id, epoch_ms(e.occurred_at)::DOUBLE
  FROM events e JOIN (SELECT unnest(string_split($uuids, ','))::UUID AS uuid) b ON e.uuid = b.uuid
  WHERE e.occurred_at >= $from AND e.occurred_at < $until`;

const appendRows = createRowAppender<EventRow>([
  uuid<EventRow>((row) => row.uuid),
  text<EventRow>((row) => row.event),
  text<EventRow>((row) => row.distinctId),
  timestamp<EventRow>((row) => row.occurredAt),
  text<EventRow>((row) => row.properties),
  ...[0, 1, 2, 3, 4].map((index) => text<EventRow>((row) => row.groupKeys[index] ?? null)),
]);

/**
 * Appends the rows that are new and returns them, in their order. As in PostHog, one row stands per (uuid, event, distinct
 * id, UTC date): the first.
 */
export async function appendEvents(
  connection: DuckDBConnection,
  rows: readonly EventRow[],
): Promise<readonly EventRow[]> {
  if (rows.length === 0) return [];
  const known = await knownIdentities(connection, rows);
  const added = rows.filter((row) => {
    const identity = identityOf(row.uuid, row.event, row.distinctId, row.occurredAt);
    return !known.has(identity) && known.add(identity);
  });
  if (added.length > 0) appendRows(await connection.createAppender("events"), added);
  return added;
}

async function knownIdentities(connection: DuckDBConnection, rows: readonly EventRow[]): Promise<Set<string>> {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const { occurredAt } of rows) {
    first = Math.min(first, occurredAt);
    last = Math.max(last, occurredAt);
  }
  const found = await connection.runAndReadAll(SAME_UUID, {
    uuids: rows.map((row) => row.uuid).join(","),
    from: timestampOf(dayOf(first) * DAY_MS),
    until: timestampOf((dayOf(last) + 1) * DAY_MS),
  });
  const known = new Set<string>();
  for (const [id, event, distinctId, at] of found.getRowsJS()) {
    known.add(identityOf(String(id), String(event), String(distinctId), Number(at)));
  }
  return known;
}

function identityOf(id: string, event: string, distinctId: string, occurredAt: number): string {
  return `${id}\n${dayOf(occurredAt)}\n${event.length}\n${event}${distinctId}`;
}

function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}
