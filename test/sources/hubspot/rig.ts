/** A fake HubSpot and what reads it, on one clock that passes by waiting. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Clock } from "../../../src/core/clock.ts";
import type { Removal, Row, RowSource, RowWindow } from "../../../src/core/row-source.ts";
import type { AccessToken } from "../../../src/platform/access-token.ts";
import { staticCredentials } from "../../../src/sources/hubspot/credentials.ts";
import { createHubspotRows, type HubspotRowsOptions } from "../../../src/sources/hubspot/hubspot-rows.ts";
import { createPortal, type Portal } from "../../../src/sources/hubspot/portal.ts";
import type { WantedProperties } from "../../../src/sources/hubspot/properties.ts";
import { createPassingClock, type PassingClock } from "../../fakes/clock.ts";
import { type FakeHubspot, startFakeHubspot } from "../../fakes/hubspot/server.ts";

export const WANTED: WantedProperties = { required: ["name"], wished: [], usual: ["domain", "seats"] };

export interface HubspotRig extends AsyncDisposable {
  readonly hubspot: FakeHubspot;
  readonly clock: PassingClock;
  readonly portal: Portal;
  readonly exportDirectory: string;
  open(options?: Partial<HubspotRowsOptions>): RowSource;
  /** Begun, with nothing remembered. */
  begin(options?: Partial<HubspotRowsOptions>): Promise<RowSource>;
}

export async function createHubspotRig(
  options: { readonly firstId?: number; readonly credentials?: (url: string, clock: Clock) => AccessToken } = {},
): Promise<HubspotRig> {
  const clock = createPassingClock();
  const { firstId, credentials = () => staticCredentials("pat-eu1-key") } = options;
  const fake = firstId === undefined ? {} : { firstId };
  const hubspot = await startFakeHubspot({ now: clock.now, pass: clock.pass, ...fake });
  defineProperties(hubspot);
  const exportDirectory = join(await mkdtemp(join(tmpdir(), "prickle-export-")), "export");
  const portal = createPortal({ credentials: credentials(hubspot.url, clock), clock });
  const opened: RowSource[] = [];
  const open = (more: Partial<HubspotRowsOptions> = {}) => {
    const parts = { apiHost: hubspot.url, portal, clock, random: () => 0.5, timeoutMs: 5000, exportDirectory };
    const rows = createHubspotRows({ ...parts, wanted: WANTED, ...more });
    opened.push(rows);
    return rows;
  };
  return {
    hubspot,
    clock,
    portal,
    exportDirectory,
    open,
    async begin(more) {
      const rows = open(more);
      await rows.begin(never, null);
      return rows;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((rows) => rows.close()));
      await hubspot[Symbol.asyncDispose]();
      await rm(dirname(exportDirectory), { recursive: true, force: true });
    },
  };
}

export const never = new AbortController().signal;

export function defineProperties({ store }: FakeHubspot): void {
  const define = (name: string, type: string, fieldType = "text") =>
    store.properties.set(name, { name, type, fieldType });
  for (const name of ["name", "domain", "external_id"]) define(name, "string");
  for (const name of ["createdate", "hs_lastmodifieddate"]) define(name, "datetime", "date");
  define("hs_object_id", "number", "number");
  define("seats", "number", "number");
  define("hs_merged_object_ids", "enumeration", "checkbox");
}

/** Companies of which one knows only that they are there. */
export function createCompanies({ store }: FakeHubspot, count: number): readonly string[] {
  return Array.from({ length: count }, (_, place) => store.create({ name: `Company ${place}`, seats: String(place) }));
}

export async function readAll(rows: RowSource, after: string | null = null): Promise<readonly Row[]> {
  const found: Row[] = [];
  for await (const page of rows.all(after, never)) found.push(...page.rows);
  return found;
}

export async function readChanged(rows: RowSource, window: RowWindow) {
  const found: Row[] = [];
  const warnings: string[] = [];
  for await (const page of rows.changed?.(window, null, never) ?? []) {
    found.push(...page.rows);
    warnings.push(...(page.warnings ?? []));
  }
  return { rows: found, warnings };
}

export async function readRemoved(rows: RowSource, since: number | null = null): Promise<readonly Removal[]> {
  const found: Removal[] = [];
  for await (const page of rows.removed?.(since, null, never) ?? []) found.push(...page.removals);
  return found;
}

export function idsOf(rows: readonly { readonly id: string }[]): readonly string[] {
  return rows.map(({ id }) => id).sort();
}
