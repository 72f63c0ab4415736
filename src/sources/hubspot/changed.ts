/** Companies modified within a window: ids by search, which lags behind, and their values by batch read. */

import { z } from "zod";
import { PrickleError } from "../../core/errors.ts";
import { positionFrom } from "../../core/page-walk.ts";
import type { RowWindow } from "../../core/row-source.ts";
import type { BatchRead } from "./batch-read.ts";
import type { HubspotClient } from "./client.ts";
import { createIdOrder, type IdOrder } from "./id-order.ts";
import { countFound, type FoundPage, type SearchFilter, searchAfter } from "./search.ts";
import type { WireRow } from "./wire.ts";

const MODIFIED = "hs_lastmodifieddate";
/** HubSpot answers 500 to a search from 0 on. */
const EARLIEST_MS = 1000;
const FIRST = "0";

const cursorSchema = z.strictObject({
  /** Parts of the window still to be read, the first of them after the id `last`. */
  windows: z.array(z.tuple([z.int(), z.int()])),
  last: z.string(),
  /** Rows of the whole window when it was begun, and those given since. */
  expected: z.int().nullable(),
  given: z.int(),
});
type Cursor = z.infer<typeof cursorSchema>;

export interface ChangedPage {
  readonly rows: readonly WireRow[];
  readonly after: string;
  readonly at: number;
  readonly expected: number;
  readonly warnings: readonly string[];
  readonly isLast: boolean;
}

export interface ChangedOptions {
  readonly client: HubspotClient;
  readonly batchRead: BatchRead;
}

export async function* changedCompanies(
  { client, batchRead }: ChangedOptions,
  window: RowWindow,
  after: string | null,
  signal: AbortSignal,
): AsyncGenerator<ChangedPage> {
  let cursor = positionFrom(after, cursorSchema, beginning(window));
  let order = createIdOrder(cursor.last);
  for (;;) {
    const [part] = cursor.windows;
    if (!part) return;
    const filters = filtersOf(part);
    const page = await searchAfter(client, { filters, names: [MODIFIED] }, cursor.last, signal);
    const next = takePage(cursor, part, page, order);
    if (next.isNewPart) order = createIdOrder(FIRST);
    const ids = next.rows.map(({ id }) => id);
    const { rows, at } = await batchRead(ids, signal);
    cursor = next.cursor;
    const isLast = cursor.windows.length === 0;
    const warnings = isLast ? await missedRows(client, window, cursor, signal) : [];
    const expected = cursor.expected ?? 0;
    yield { rows, after: JSON.stringify(cursor), at: at || page.at, expected, warnings, isLast };
  }
}

function beginning({ from, to }: RowWindow): Cursor {
  const windows: Cursor["windows"] = to < EARLIEST_MS ? [] : [[Math.max(from, EARLIEST_MS), to]];
  return { windows, last: FIRST, expected: null, given: 0 };
}

interface Taken {
  readonly cursor: Cursor;
  /** Of the window: the search may give others. */
  readonly rows: readonly WireRow[];
  readonly isNewPart: boolean;
}

function takePage(cursor: Cursor, [from, to]: readonly [number, number], page: FoundPage, order: IdOrder): Taken {
  const [, ...others] = cursor.windows;
  const expected = cursor.expected ?? page.total;
  if (!order.keeps(page.rows.map(({ id }) => id))) {
    const windows = [...halvesOf(from, to), ...others];
    return { cursor: { ...cursor, windows, last: FIRST, expected }, rows: [], isNewPart: true };
  }
  const rows = page.rows.filter((row) => isWithin(row, from, to));
  const given = cursor.given + rows.length;
  if (!page.hasMore) return { cursor: { windows: others, last: FIRST, expected, given }, rows, isNewPart: true };
  const last = page.rows.at(-1)?.id ?? cursor.last;
  return { cursor: { ...cursor, last, expected, given }, rows, isNewPart: false };
}

function halvesOf(from: number, to: number): Cursor["windows"] {
  if (from >= to) {
    throw new PrickleError("SOURCE_UNAVAILABLE", "HubSpot's search gives companies in no order of their ids.", {
      hint: "prickle sync NAME --full reads all of them without it.",
    });
  }
  const middle = Math.floor((from + to) / 2);
  return [
    [from, middle],
    [middle + 1, to],
  ];
}

function isWithin({ properties, updatedAt }: WireRow, from: number, to: number): boolean {
  const stated = Date.parse(properties[MODIFIED] ?? "");
  const at = Number.isNaN(stated) ? updatedAt : stated;
  return at === undefined || (at >= from && at <= to);
}

function filtersOf([from, to]: readonly [number, number]): readonly SearchFilter[] {
  return [
    { propertyName: MODIFIED, operator: "GTE", value: String(from) },
    { propertyName: MODIFIED, operator: "LTE", value: String(to) },
  ];
}

/** Those modified meanwhile left the window and come with the next: so it is counted once more before anybody worries. */
async function missedRows(
  client: HubspotClient,
  { from, to }: RowWindow,
  { expected, given }: Cursor,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (expected === null || given >= expected) return [];
  const now = await countFound(client, filtersOf([Math.max(from, EARLIEST_MS), to]), signal);
  if (given >= now) return [];
  return [`HubSpot's search counts ${now} companies in the window and gave ${given} of them.`];
}
