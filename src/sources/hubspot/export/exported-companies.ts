/** All companies by an export: few requests however many there are. What an export cannot tell for sure is read from the API. */

import { PrickleError } from "../../../core/errors.ts";
import type { BatchRead } from "../batch-read.ts";
import type { CompanyOptions } from "../company.ts";
import type { WireRow } from "../wire.ts";
import { believedRows } from "./believed-rows.ts";
import { formatPosition, parsePosition } from "./export-position.ts";
import { ID_COLUMN } from "./export-table.ts";
import { type ExportFetching, fetchExport, type ReadyExport } from "./fetch-export.ts";
import { type ReadExportOptions, readExport } from "./read-export.ts";
import { withheldNames } from "./survey.ts";
import { requestExport } from "./task.ts";
import { CREATED_COLUMN, createTrust, MODIFIED_COLUMN } from "./trust.ts";

export interface ExportOptions extends ExportFetching {
  readonly company: Pick<CompanyOptions, "properties" | "usesLabels">;
  readonly readLive: BatchRead;
  /** An export may not know yet what was modified so long before it was asked for, in ms. */
  readonly behindMs: number;
  readonly pageRows?: number;
}

export interface ExportPage {
  readonly rows: readonly WireRow[];
  /** As a cursor: to go on after the page, without its rows. */
  readonly after: string;
  /** When the export was asked for. */
  readonly at: number;
  readonly warnings: readonly string[];
}

const PAGE_ROWS = 500;
/** Exports asked for in one run: a second where the first came to nothing. */
const MOST_TASKS = 2;

/**
 * The export of the cursor `after` is read on; one that is lost is made again and read from its first row.
 * @throws SOURCE_UNAVAILABLE, SOURCE_REFUSED, SOURCE_CHANGED
 */
export async function* exportedCompanies(
  options: ExportOptions,
  after: string | null,
  signal: AbortSignal,
): AsyncGenerator<ExportPage> {
  const { client } = options;
  const file: ReadExportOptions = { names: columnNames(options), pageRows: options.pageRows ?? PAGE_ROWS };
  let position = parsePosition(after);
  for (let asked = 0; ; position = null) {
    if (!position) {
      const { id, at } = await requestExport(client, file.names, signal);
      asked += 1;
      position = { task: id, at, sha256: null, row: 0 };
      // So that a run that is killed from now on waits for this one, and asks for no other.
      yield { rows: [], after: formatPosition(position), at, warnings: [] };
    }
    const ready = await fetchExport(options, file, position, signal);
    if ("why" in ready) {
      if (asked >= MOST_TASKS) throw cameToNothing(ready.why);
      continue;
    }
    yield* readOn(options, file, ready, signal);
    return;
  }
}

/** Rows are known by the first of them, and it is told even of a row that is broken behind it. */
function columnNames({ company }: ExportOptions): readonly string[] {
  return [...new Set([ID_COLUMN, ...company.properties.keys(), MODIFIED_COLUMN, CREATED_COLUMN])];
}

async function* readOn(
  options: ExportOptions,
  file: ReadExportOptions,
  { path, position, survey, warnings }: ReadyExport,
  signal: AbortSignal,
): AsyncGenerator<ExportPage> {
  const { at } = position;
  const settledAt = at - options.behindMs;
  const trust = createTrust({ ...options.company, settledAt });
  for (const name of await withheldNames(options.client, survey, settledAt, signal)) trust.doubt(name, "empty");
  let untold = warnings;
  for await (const page of readExport(path, file)) {
    signal.throwIfAborted();
    if (page.end <= position.row) continue;
    const rows = await believedRows(page, { trust, readLive: options.readLive }, signal);
    const after = formatPosition({ ...position, row: page.end });
    yield { rows, after, at, warnings: [...untold, ...trust.takeDoubted().map(writtenOtherwise)] };
    untold = [];
  }
  if (untold.length > 0) yield { rows: [], after: formatPosition(position), at, warnings: untold };
}

function writtenOtherwise(name: string): string {
  return `HubSpot's export does not have ${name} as its API has it: companies where that counts are read one by one.`;
}

function cameToNothing(why: string): PrickleError {
  return new PrickleError("SOURCE_UNAVAILABLE", `HubSpot's export came to nothing, twice: ${why}.`, {
    hint: "The next sync asks for another; `fullBy: list` of the source does without exports.",
  });
}
