/** Lists companies page by page: many properties take several requests a page, merged by id (facts: HubSpot, 3). */

import { PrickleError } from "../../core/errors.ts";
import type { BatchRead } from "./batch-read.ts";
import type { HubspotClient } from "./client.ts";
import { PATHS } from "./paths.ts";
import { listAnswer, type WireRow } from "./wire.ts";

export interface ListPage {
  readonly rows: readonly WireRow[];
  /** Null: it was the last. */
  readonly next: string | null;
  readonly at: number;
}

export interface ListOptions {
  readonly client: HubspotClient;
  /** Reads rows that changed between two requests for one page. */
  readonly batchRead: BatchRead;
  readonly names: readonly string[];
  /** Of property names in one request: at some 16,200 characters HubSpot answers 414. */
  readonly maxNameBytes?: number;
}

const PAGE_ROWS = 100;
const MAX_NAME_BYTES = 12_000;
const LEAST_NAME_BYTES = 250;

/** A page without rows is not the end: only one without a next is. */
export async function* listCompanies(
  options: ListOptions,
  from: string | null,
  signal: AbortSignal,
): AsyncGenerator<ListPage> {
  let { maxNameBytes = MAX_NAME_BYTES } = options;
  let after = from;
  for (;;) {
    let page: ListPage;
    try {
      page = await readPage(options, chunksOf(options.names, maxNameBytes), after, signal);
    } catch (thrown) {
      if (!isTooLong(thrown) || maxNameBytes <= LEAST_NAME_BYTES) throw thrown;
      maxNameBytes = Math.floor(maxNameBytes / 2);
      continue;
    }
    yield page;
    if (page.next === null) return;
    if (page.next === after) throw goesInCircles(after);
    after = page.next;
  }
}

async function readPage(
  { client, batchRead }: ListOptions,
  chunks: readonly (readonly string[])[],
  after: string | null,
  signal: AbortSignal,
): Promise<ListPage> {
  const answers = [];
  for (const names of chunks) answers.push(await client.get(pathOf(names, after, false), listAnswer, signal));
  const [first, ...rest] = answers;
  if (!first) return { rows: [], next: null, at: 0 };
  const others = rest.map(({ value }) => new Map(value.results.map((row) => [row.id, row])));
  const merged = first.value.results.map((row) => mergeParts(row, others));
  const torn = first.value.results.filter((_, place) => merged[place] === null).map(({ id }) => id);
  const again = new Map((await batchRead(torn, signal)).rows.map((row) => [row.id, row]));
  const rows = first.value.results.flatMap(({ id }, place) => merged[place] ?? again.get(id) ?? []);
  return { rows, next: first.value.paging?.next?.after ?? null, at: first.at };
}

/** Null: it changed, or went, between the requests. */
function mergeParts(row: WireRow, others: readonly ReadonlyMap<string, WireRow>[]): WireRow | null {
  const properties = { ...row.properties };
  for (const other of others) {
    const part = other.get(row.id);
    if (!part || part.updatedAt !== row.updatedAt) return null;
    Object.assign(properties, part.properties);
  }
  return { ...row, properties };
}

export interface ArchivedPage {
  readonly rows: readonly WireRow[];
  readonly next: string | null;
  readonly at: number;
}

export async function* listArchived(
  client: HubspotClient,
  from: string | null,
  signal: AbortSignal,
): AsyncGenerator<ArchivedPage> {
  for (let after = from; ; ) {
    const { value, at } = await client.get(pathOf(["hs_object_id"], after, true), listAnswer, signal);
    const next = value.paging?.next?.after ?? null;
    yield { rows: value.results, next, at };
    if (next === null) return;
    if (next === after) throw goesInCircles(after);
    after = next;
  }
}

/** At least one chunk; a name longer than `maxBytes` stands alone. */
export function chunksOf(names: readonly string[], maxBytes: number): readonly (readonly string[])[] {
  const chunks: string[][] = [[]];
  let bytes = 0;
  for (const name of names) {
    const size = encodeURIComponent(name).length + "%2C".length;
    if (bytes + size > maxBytes && bytes > 0) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)?.push(name);
    bytes += size;
  }
  return chunks;
}

function pathOf(names: readonly string[], after: string | null, isArchived: boolean): string {
  const query = new URLSearchParams({ limit: String(PAGE_ROWS), archived: String(isArchived) });
  if (names.length > 0) query.set("properties", names.join(","));
  if (after !== null) query.set("after", after);
  return `${PATHS.list}?${query}`;
}

function isTooLong(thrown: unknown): boolean {
  return (
    thrown instanceof PrickleError && thrown.code === "SOURCE_CHANGED" && thrown.message.includes(" answered 414 ")
  );
}

function goesInCircles(after: string): PrickleError {
  return new PrickleError("SOURCE_UNAVAILABLE", `HubSpot's list gives the page after ${after} after itself.`, {
    hint: "The next sync goes on from here.",
  });
}
