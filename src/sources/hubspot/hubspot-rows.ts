/** The companies of a HubSpot account as a source of rows. */

import type { Row, RowPage, RowSource, RowTraits, RowWindow } from "../../core/row-source.ts";
import { slicesOf } from "./batch-read.ts";
import { type BeginOptions, type Begun, beginHubspot } from "./begin.ts";
import { changedCompanies } from "./changed.ts";
import { createHubspotClient, type HubspotClientOptions } from "./client.ts";
import { readCompany } from "./company.ts";
import { contactFates, contactsOf, isContactRow } from "./contacts.ts";
import { createExportFolder } from "./export/export-folder.ts";
import { isExportCursor } from "./export/export-position.ts";
import { exportedCompanies } from "./export/exported-companies.ts";
import { fatesOf } from "./fates.ts";
import { listCompanies } from "./list.ts";
import { mapMerges } from "./merges.ts";
import { removedCompanies } from "./removed.ts";
import type { WireRow } from "./wire.ts";

export interface HubspotRowsOptions extends HubspotClientOptions, BeginOptions {
  /** Of property names in one request. */
  readonly maxNameBytes?: number;
  /** How all companies are read: page by page, the default, or by an export. */
  readonly fullBy?: "list" | "export";
  /** Where the files of exports lie while they are read: nothing else does. */
  readonly exportDirectory: string;
  /** Rows of an export in one page. */
  readonly exportPageRows?: number;
}

/** Cursors of `all`: what HubSpot gave to go on with, or that no page comes after it. */
const START = "start";
const AFTER = "after:";
const END = "end";
/** Of people: a company may have very many. */
const PAGE_CONTACTS = 1000;
const MINUTE_MS = 60_000;
/** A search finds what was modified a moment ago, mostly; an hour later for sure. */
const BEHIND_MS = 60 * MINUTE_MS;
const TRAITS: RowTraits = {
  lagMs: MINUTE_MS,
  overlapMs: 10 * MINUTE_MS,
  settledMs: BEHIND_MS,
  fatesAtOnce: 100,
};

export function createHubspotRows(options: HubspotRowsOptions): RowSource {
  const client = createHubspotClient(options);
  const { clock, fullBy = "list" } = options;
  const folder = createExportFolder(options.exportDirectory);
  let begun: Begun | null = null;

  const running = () => {
    if (!begun) throw new RangeError("nothing was begun");
    return begun;
  };

  function rowsOf(found: readonly WireRow[]) {
    const { company, merges } = running();
    const rows = found.map((row) => readCompany(row, company));
    for (const { id, payload } of rows) for (const merged of listOf(payload.mergedIds)) merges.set(merged, id);
    return rows;
  }

  async function* all(after: string | null, signal: AbortSignal): AsyncGenerator<RowPage> {
    if (after === END) return;
    // A run goes on as it began, but for one by an export that is not wanted any more: that begins anew.
    const isExport = fullBy === "export" && (after === null || isExportCursor(after));
    if (isExport) yield* allExported(after, signal);
    else yield* allListed(isExportCursor(after) ? null : after, signal);
  }

  async function* allListed(after: string | null, signal: AbortSignal): AsyncGenerator<RowPage> {
    const { names, readLive, company } = running();
    const { maxNameBytes } = options;
    const list = { client, batchRead: readLive, names, ...(maxNameBytes ? { maxNameBytes } : {}) };
    let before = after ?? START;
    for await (const page of listCompanies(list, before === START ? null : before.slice(AFTER.length), signal)) {
      const { next, at } = page;
      const rows = rowsOf(page.rows);
      yield* peopleOf(rows, { after: before, readAt: at }, signal);
      const warnings = next === null ? company.refused.take() : [];
      before = next === null ? END : AFTER + next;
      yield { rows, after: before, readAt: at, warnings };
    }
  }

  async function* allExported(after: string | null, signal: AbortSignal): AsyncGenerator<RowPage> {
    const { company, readLive } = running();
    const { exportPageRows: pageRows } = options;
    const parts = { client, clock, folder, company, readLive, behindMs: BEHIND_MS, ...(pageRows ? { pageRows } : {}) };
    let last = { after: after ?? START, readAt: 0 };
    for await (const page of exportedCompanies(parts, after, signal)) {
      const rows = rowsOf(page.rows);
      yield* peopleOf(rows, { ...last, readAt: page.at }, signal);
      last = { after: page.after, readAt: page.at };
      yield { rows, ...last, behindMs: BEHIND_MS, warnings: page.warnings };
    }
    yield { rows: [], ...last, after: END, warnings: company.refused.take() };
    await folder.clear();
  }

  /** Before their companies: who goes on after them reads them again. */
  async function* peopleOf(
    companies: readonly Row[],
    place: Pick<RowPage, "after" | "readAt">,
    signal: AbortSignal,
  ): AsyncGenerator<RowPage> {
    const { contacts } = running();
    const people = contacts ? await contactsOf(companies, contacts, signal) : [];
    for (const slice of slicesOf(people, PAGE_CONTACTS)) yield { rows: slice, ...place };
  }

  async function* changed(window: RowWindow, after: string | null, signal: AbortSignal): AsyncGenerator<RowPage> {
    await folder.clear();
    const { readLive, company } = running();
    for await (const page of changedCompanies({ client, batchRead: readLive }, window, after, signal)) {
      const { isLast, at, expected } = page;
      const rows = rowsOf(page.rows);
      const warnings = [...page.warnings, ...(isLast ? company.refused.take() : [])];
      yield { rows, after: page.after, readAt: at, expected, warnings };
    }
  }

  async function mergesOf(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const run = running();
    if (!run.hasAllMerges) for (const [id, into] of await mapMerges(client, signal)) run.merges.set(id, into);
    run.hasAllMerges = true;
    return run.merges;
  }

  return {
    traits: TRAITS,
    async begin(signal, remembered) {
      const beginning = await beginHubspot(options, client, remembered, signal);
      begun = beginning.begun;
      if (fullBy === "list") await folder.clear();
      return beginning.said;
    },
    all: (after, signal) => untilAborted(all(after, signal), signal),
    changed: (window, after, signal) => untilAborted(changed(window, after, signal), signal),
    removed: (since, after, signal) => untilAborted(removedCompanies(client, since, after, signal), signal),
    async fates(ids, signal) {
      const { readLive, readArchived, company, contacts } = running();
      const people = ids.filter(isContactRow);
      const companies = ids.filter((id) => !isContactRow(id));
      const read = (row: WireRow) => readCompany(row, company);
      const parts = { readLive, readArchived, merges: mergesOf, readCompany: read };
      return [...(await fatesOf(parts, companies, signal)), ...(await contactFates(people, contacts, signal))];
    },
    requests: client.requests,
    close: client.close,
  };
}

/** A request cut short by stopping is the end, not a failure. */
async function* untilAborted<Page>(pages: AsyncGenerator<Page>, signal: AbortSignal): AsyncGenerator<Page> {
  try {
    yield* pages;
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}

function listOf(ids: unknown): readonly string[] {
  return Array.isArray(ids) ? ids.map(String) : [];
}
