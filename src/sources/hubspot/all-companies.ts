/** Every company, page by page or by an export, and its people before it. */

import type { Clock } from "../../core/clock.ts";
import type { Row, RowPage } from "../../core/row-source.ts";
import { slicesOf } from "./batch-read.ts";
import type { Begun } from "./begin.ts";
import type { HubspotClient } from "./client.ts";
import { contactsOf } from "./contacts.ts";
import type { ExportFolder } from "./export/export-folder.ts";
import { isExportCursor } from "./export/export-position.ts";
import { exportedCompanies } from "./export/exported-companies.ts";
import { listCompanies } from "./list.ts";
import type { WireRow } from "./wire.ts";

export interface AllOptions {
  /** Of property names in one request. */
  readonly maxNameBytes?: number;
  /** How all companies are read: page by page, the default, or by an export. */
  readonly fullBy?: "list" | "export";
  /** Rows of an export in one page. */
  readonly exportPageRows?: number;
}

export interface AllParts extends AllOptions, Pick<Begun, "names" | "readLive" | "company" | "contacts"> {
  readonly client: HubspotClient;
  readonly clock: Clock;
  readonly folder: ExportFolder;
  readonly rowsOf: (found: readonly WireRow[]) => readonly Row[];
}

/** A search finds what was modified a moment ago, mostly; an hour later for sure. Exports are made of searches. */
export const INDEX_LAG_MS = 3_600_000;
/** Cursors: what HubSpot gave to go on with, how far an export is read, or that no page comes after it. */
const START = "start";
const AFTER = "after:";
const END = "end";
/** Of people: a company may have very many. */
const PAGE_CONTACTS = 1000;

/** A run goes on as it began, but for one by an export that is not wanted any more: that begins anew. */
export async function* allCompanies(
  parts: AllParts,
  after: string | null,
  signal: AbortSignal,
): AsyncGenerator<RowPage> {
  if (after === END) return;
  const isExport = parts.fullBy === "export" && (after === null || isExportCursor(after));
  if (isExport) yield* allExported(parts, after, signal);
  else yield* allListed(parts, isExportCursor(after) ? null : after, signal);
}

async function* allListed(parts: AllParts, after: string | null, signal: AbortSignal): AsyncGenerator<RowPage> {
  const { client, names, readLive, company, maxNameBytes } = parts;
  const list = { client, batchRead: readLive, names, ...(maxNameBytes ? { maxNameBytes } : {}) };
  let before = after ?? START;
  for await (const page of listCompanies(list, before === START ? null : before.slice(AFTER.length), signal)) {
    const { next, at } = page;
    const rows = parts.rowsOf(page.rows);
    yield* peopleOf(parts, rows, { after: before, readAt: at }, signal);
    const warnings = next === null ? company.refused.take() : [];
    before = next === null ? END : AFTER + next;
    yield { rows, after: before, readAt: at, warnings };
  }
}

async function* allExported(parts: AllParts, after: string | null, signal: AbortSignal): AsyncGenerator<RowPage> {
  const { client, clock, folder, company, readLive, exportPageRows: pageRows } = parts;
  const behindMs = INDEX_LAG_MS;
  const options = { client, clock, folder, company, readLive, behindMs, ...(pageRows ? { pageRows } : {}) };
  let last = { after: after ?? START, readAt: 0 };
  for await (const page of exportedCompanies(options, after, signal)) {
    const rows = parts.rowsOf(page.rows);
    yield* peopleOf(parts, rows, { ...last, readAt: page.at }, signal);
    last = { after: page.after, readAt: page.at };
    yield { rows, ...last, behindMs, warnings: page.warnings };
  }
  yield { rows: [], ...last, after: END, warnings: company.refused.take() };
  await folder.clear();
}

/** Before their companies: who goes on after them reads them again. */
async function* peopleOf(
  { contacts }: Pick<AllParts, "contacts">,
  companies: readonly Row[],
  place: Pick<RowPage, "after" | "readAt">,
  signal: AbortSignal,
): AsyncGenerator<RowPage> {
  const people = contacts ? await contactsOf(companies, contacts, signal) : [];
  for (const slice of slicesOf(people, PAGE_CONTACTS)) yield { rows: slice, ...place };
}
