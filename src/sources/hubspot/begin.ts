/** What is asked before anything of a run: what companies look like, and whose they are. */

import { PrickleError } from "../../core/errors.ts";
import type { RowBeginning } from "../../core/row-source.ts";
import { type BatchRead, createBatchRead } from "./batch-read.ts";
import type { HubspotClient } from "./client.ts";
import { type CompanyOptions, MERGED_IDS } from "./company.ts";
import type { ContactsOptions } from "./contacts.ts";
import { readOwners } from "./owners.ts";
import { PATHS } from "./paths.ts";
import type { Portal } from "./portal.ts";
import { changedTypes, describeProperties, readProperties, type WantedProperties } from "./properties.ts";
import { createRefusedValues } from "./refused-values.ts";
import { accountAnswer } from "./wire.ts";

export interface BeginOptions {
  readonly portal: Portal;
  readonly wanted: WantedProperties;
  /** Options of enumerations by their labels. */
  readonly usesLabels?: boolean;
  /** Whether rows have the e-mail address of their owner. */
  readonly namesOwners?: boolean;
  /** Properties of contacts to read, and those of their company that their rows have; null: no contacts. */
  readonly contacts?: { readonly names: readonly string[]; readonly companyNames: readonly string[] } | null;
}

/** Without it nobody could tell what became of a company merged away. */
const ALWAYS = ["hs_object_id", MERGED_IDS];

/** What is known once a run began. */
export interface Begun {
  readonly company: CompanyOptions;
  readonly names: readonly string[];
  readonly readLive: BatchRead;
  readonly readArchived: BatchRead;
  /** Seen on the way: the search for them lags behind. */
  readonly merges: Map<string, string>;
  /** Null: they are not asked for. */
  readonly contacts: ContactsOptions | null;
  /** Whether the search was asked for all of them. */
  hasAllMerges: boolean;
}

export async function beginHubspot(
  { wanted, usesLabels = false, namesOwners = false, contacts = null, portal }: BeginOptions,
  client: HubspotClient,
  remembered: string | null,
  signal: AbortSignal,
): Promise<{ readonly begun: Begun; readonly said: RowBeginning }> {
  const { value, at } = await readProperties(client, { ...wanted, usual: [...wanted.usual, ...ALWAYS] }, signal);
  const { properties } = value;
  const zone = await timeZoneOf(client, signal);
  if (zone !== null) portal.useTimeZone(zone);
  const owners = namesOwners ? await readOwners(client, signal) : new Map<string, string>();
  const names = [...properties.keys()];
  const batch = { client, path: PATHS.batchRead, names };
  const description = describeProperties(properties, usesLabels);
  return {
    begun: {
      company: { properties, owners, usesLabels, refused: createRefusedValues() },
      names,
      readLive: createBatchRead(batch),
      readArchived: createBatchRead({ ...batch, names: ["hs_object_id"], isArchived: true }),
      contacts: contacts && {
        client,
        readContacts: createBatchRead({ client, path: PATHS.contactBatchRead, names: contacts.names }),
        companyNames: contacts.companyNames,
      },
      merges: new Map(),
      hasAllMerges: false,
    },
    said: {
      at,
      warnings: [...value.warnings, ...changedTypes(properties, remembered)],
      remembers: description,
      saysOtherwise: remembered !== null && remembered !== description,
    },
  };
}

/** Only tells when the day of the daily limit ends: a key that may not ask does without. */
async function timeZoneOf(client: HubspotClient, signal: AbortSignal): Promise<string | null> {
  try {
    return (await client.get(PATHS.account, accountAnswer, signal)).value.timeZone;
  } catch (thrown) {
    const isRefused = thrown instanceof PrickleError && ["SOURCE_REFUSED", "SOURCE_CHANGED"].includes(thrown.code);
    if (isRefused) return null;
    throw thrown;
  }
}
