/** Companies read by an export, with what came of it. */

import type { Row, RowPage, RowSource } from "../../../src/core/row-source.ts";
import type { HubspotRowsOptions } from "../../../src/sources/hubspot/hubspot-rows.ts";
import { type HubspotRig, never, readAll } from "./rig.ts";

export const BY_EXPORT = { fullBy: "export", exportPageRows: 100 } as const;

export async function pagesOf(rows: RowSource, after: string | null = null): Promise<readonly RowPage[]> {
  const pages: RowPage[] = [];
  for await (const page of rows.all(after, never)) pages.push(page);
  return pages;
}

export interface Exported {
  readonly rows: readonly Row[];
  readonly warnings: readonly string[];
}

export async function readExported(rig: HubspotRig, options: Partial<HubspotRowsOptions> = {}): Promise<Exported> {
  const pages = await pagesOf(await rig.begin({ ...BY_EXPORT, ...options }));
  return { rows: pages.flatMap(({ rows }) => rows), warnings: pages.flatMap(({ warnings = [] }) => warnings) };
}

export async function readListed(rig: HubspotRig, options: Partial<HubspotRowsOptions> = {}): Promise<readonly Row[]> {
  return readAll(await rig.begin({ ...options, fullBy: "list" }));
}

/** Requests of the API made since, but for those that begin a run. */
export function requestsSince({ hubspot }: HubspotRig, before: number): readonly string[] {
  const isBeginning = /^GET \/(crm\/properties|account-info)/;
  return hubspot.requests.slice(before).filter((request) => !isBeginning.test(request));
}
