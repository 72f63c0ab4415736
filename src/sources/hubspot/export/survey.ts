/** Looks an export's file through before any row of it is believed: whether all are there, and which columns say anything. */

import type { HubspotClient } from "../client.ts";
import { countFound } from "../search.ts";
import { type ReadExportOptions, readExport } from "./read-export.ts";

export interface Survey {
  /** Rows whose id can be told. */
  readonly rowCount: number;
  readonly brokenCount: number;
  /** What is wrong with the first of them; null: there is none. */
  readonly firstBroken: string | null;
  /** Columns that are empty in every row. */
  readonly emptyNames: readonly string[];
}

export async function surveyExport(path: string, options: ReadExportOptions): Promise<Survey> {
  const empty = new Set(options.names);
  let [rowCount, brokenCount] = [0, 0];
  let firstBroken: string | null = null;
  for await (const { rows, broken } of readExport(path, options)) {
    rowCount += rows.length + broken.filter(({ id }) => id !== null).length;
    brokenCount += broken.length;
    firstBroken ??= broken[0]?.detail ?? null;
    for (const { cells } of rows) for (const name of empty) if (cells[name] !== "") empty.delete(name);
  }
  return { rowCount, brokenCount, firstBroken, emptyNames: rowCount === 0 ? [] : [...empty] };
}

/** Of properties that an export has for no company, those that companies have: not everything can be exported. */
export async function withheldNames(
  client: HubspotClient,
  { emptyNames }: Pick<Survey, "emptyNames">,
  settledAt: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const before = { propertyName: "hs_lastmodifieddate", operator: "LTE", value: String(settledAt) } as const;
  const withheld: string[] = [];
  for (const propertyName of emptyNames) {
    const filters = [{ propertyName, operator: "HAS_PROPERTY" } as const, before];
    if ((await countFound(client, filters, signal)) > 0) withheld.push(propertyName);
  }
  return withheld;
}
