/** The companies of a HubSpot account as a source of rows. */

import type { RowPage, RowSource, RowTraits, RowWindow } from "../../core/row-source.ts";
import { type AllOptions, allCompanies, INDEX_LAG_MS } from "./all-companies.ts";
import { type BeginOptions, type Begun, beginHubspot } from "./begin.ts";
import { changedCompanies } from "./changed.ts";
import { createHubspotClient, type HubspotClientOptions } from "./client.ts";
import { readCompany } from "./company.ts";
import { contactFates, isContactRow } from "./contacts.ts";
import { createExportFolder } from "./export/export-folder.ts";
import { fatesOf } from "./fates.ts";
import { mapMerges } from "./merges.ts";
import { removedCompanies } from "./removed.ts";
import type { WireRow } from "./wire.ts";

export interface HubspotRowsOptions extends HubspotClientOptions, BeginOptions, AllOptions {
  /** Where the files of exports lie while they are read: nothing else does. */
  readonly exportDirectory: string;
}

const MINUTE_MS = 60_000;
/** A search finds what was modified a moment ago, mostly; an hour later for sure. */
const TRAITS: RowTraits = {
  lagMs: MINUTE_MS,
  overlapMs: 10 * MINUTE_MS,
  settledMs: INDEX_LAG_MS,
  fatesAtOnce: 100,
};

export function createHubspotRows(options: HubspotRowsOptions): RowSource {
  const client = createHubspotClient(options);
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
      if (options.fullBy !== "export") await folder.clear();
      return beginning.said;
    },
    all(after, signal) {
      const { clock } = options;
      return untilAborted(
        allCompanies({ ...options, client, clock, folder, ...running(), rowsOf }, after, signal),
        signal,
      );
    },
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
