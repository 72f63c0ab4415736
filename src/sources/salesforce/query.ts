/** Pages of a query: the rest of one is at the address each page names, and after a row when that address is forgotten. */

import type * as z from "zod";
import { type Step, walkPages } from "../../core/page-walk.ts";
import { answeredAt, readAnswer } from "../../platform/api-answer.ts";
import { PEER, type SalesforceClient } from "./client.ts";
import { recordsShape } from "./shapes.ts";

export interface QueryPage<Found> {
  readonly records: readonly Found[];
  readonly total: number;
  readonly readAt: number;
}

export interface Query<Found, Position> {
  readonly client: SalesforceClient;
  readonly now: () => number;
  /** `queryAll` gives those in the recycle bin too. */
  readonly resource: "query" | "queryAll";
  /** What follows `position`. */
  soql(position: Position | null): string;
  readonly shape: z.ZodType<Found>;
  positionOf(record: Found): Position;
}

interface Walk<Position> {
  readonly after: Position | null;
  readonly url: string | null;
}

export function queryPages<Found, Position>(
  query: Query<Found, Position>,
  after: Position | null,
  signal: AbortSignal,
): AsyncGenerator<QueryPage<Found>> {
  return walkPages<Walk<Position>, QueryPage<Found>>({ after, url: null }, (walk) => ask(query, walk, signal), signal);
}

/** Statuses of an address that Salesforce has forgotten (INVALID_QUERY_LOCATOR). */
const FORGOTTEN = [400, 404];

async function ask<Found, Position>(
  { client, now, resource, soql, shape, positionOf }: Query<Found, Position>,
  { after, url }: Walk<Position>,
  signal: AbortSignal,
): Promise<Step<Walk<Position>, QueryPage<Found>>> {
  const path = url ?? `/${resource}?q=${encodeURIComponent(soql(after))}`;
  const answer = await client.ask({ method: "GET", path, ...(url ? { understands: FORGOTTEN } : {}) }, signal);
  if (FORGOTTEN.includes(answer.status)) return { page: null, next: { after, url: null } };
  const whole = recordsShape.extend({ records: shape.array() });
  const { totalSize, done, nextRecordsUrl, records } = readAnswer(answer, whole, `${PEER}, GET /${resource}`);
  const last = records.at(-1);
  const reached = last === undefined ? after : positionOf(last);
  const isOver = done || (nextRecordsUrl === undefined && last === undefined);
  const page = { records, total: totalSize, readAt: answeredAt(answer, { now }) };
  return { page, next: isOver ? null : { after: reached, url: nextRecordsUrl ?? null } };
}
