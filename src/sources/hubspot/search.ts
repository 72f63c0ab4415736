/**
 * Ids of companies by a search, however many: each page asks for ids greater than the last, never by an offset, since a
 * search gives 10,000 rows at most (facts: HubSpot, 4).
 */

import type { HubspotClient } from "./client.ts";
import { PATHS } from "./paths.ts";
import { searchAnswer, type WireRow } from "./wire.ts";

export interface SearchFilter {
  readonly propertyName: string;
  readonly operator: "GT" | "GTE" | "LTE" | "HAS_PROPERTY";
  readonly value?: string;
}

export interface FoundPage {
  readonly rows: readonly WireRow[];
  /** Rows of this query: of those after the last page's. */
  readonly total: number;
  /** Whether there is anything after it. */
  readonly hasMore: boolean;
  readonly at: number;
}

export interface SearchQuery {
  /** Two at most: the third is for the id. */
  readonly filters: readonly SearchFilter[];
  readonly names: readonly string[];
}

const PAGE_ROWS = 200;
/** Pages without rows that say there are more: as many as an offset may step over. */
const MOST_EMPTY = 50;

/** The first page after the id `last` that has rows, or the end. */
export async function searchAfter(
  client: HubspotClient,
  query: SearchQuery,
  last: string,
  signal: AbortSignal,
): Promise<FoundPage> {
  let page = await searchOnce(client, query, { last }, signal);
  if (page.rows.length > 0 || page.next === null) return found(page);
  page = await searchOnce(client, query, { last }, signal);
  for (let empty = 0; page.rows.length === 0 && page.next !== null && empty < MOST_EMPTY; empty++) {
    page = await searchOnce(client, query, { last, after: page.next }, signal);
  }
  return found(page);
}

/** How many rows a query has. */
export async function countFound(
  client: HubspotClient,
  filters: readonly SearchFilter[],
  signal: AbortSignal,
): Promise<number> {
  const body = { filterGroups: [{ filters }], properties: ["hs_object_id"], limit: 1 };
  return (await client.post({ path: PATHS.search, body, isSearch: true }, searchAnswer, signal)).value.total;
}

interface Place {
  readonly last: string;
  readonly after?: string;
}

async function searchOnce(client: HubspotClient, { filters, names }: SearchQuery, place: Place, signal: AbortSignal) {
  const { last, after } = place;
  const body = {
    filterGroups: [{ filters: [...filters, { propertyName: "hs_object_id", operator: "GT", value: last }] }],
    sorts: [{ propertyName: "hs_object_id", direction: "ASCENDING" }],
    properties: names,
    limit: PAGE_ROWS,
    ...(after === undefined ? {} : { after }),
  };
  const { value, at } = await client.post({ path: PATHS.search, body, isSearch: true }, searchAnswer, signal);
  return { rows: value.results, total: value.total, next: value.paging?.next?.after ?? null, at };
}

function found({ rows, total, next, at }: Awaited<ReturnType<typeof searchOnce>>): FoundPage {
  return { rows, total, hasMore: rows.length > 0 && next !== null, at };
}
