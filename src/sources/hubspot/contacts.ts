/**
 * The people of companies, a row each (facts: HubSpot, 7). All that such a row says is in its id, so that another e-mail
 * address or another key of the company is another row: one that begins, and one that ends.
 */

import { z } from "zod";
import type { JsonObject } from "../../core/json.ts";
import type { Fate, Row } from "../../core/row-source.ts";
import type { BatchRead } from "./batch-read.ts";
import type { HubspotClient } from "./client.ts";
import { PATHS } from "./paths.ts";
import { associationsAnswer, type WireRow } from "./wire.ts";

export interface ContactsOptions {
  readonly client: HubspotClient;
  /** Reads contacts by id, with what the mapping reads of them. */
  readonly readContacts: BatchRead;
  /** What the mapping reads of their company. */
  readonly companyNames: readonly string[];
}

const PREFIX = "contact:";
const values = z.record(z.string(), z.json());
const idSchema = z.tuple([z.string(), z.string(), values, values]);

export function isContactRow(id: string): boolean {
  return id.startsWith(PREFIX);
}

export async function contactsOf(
  companies: readonly Row[],
  { client, readContacts, companyNames }: ContactsOptions,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  const pairs = await readPairs(
    client,
    companies.map(({ id }) => id),
    signal,
  );
  const contacts = await readContacts([...new Set(pairs.map(([, contact]) => contact))], signal);
  const byId = new Map(contacts.rows.map((contact) => [contact.id, contact]));
  const propertiesOf = new Map(companies.map(({ id, payload }) => [id, picked(payload, companyNames)]));
  return pairs.flatMap(([company, contact]) => {
    const found = byId.get(contact);
    return found ? [rowOf(company, propertiesOf.get(company) ?? {}, found)] : [];
  });
}

/** Those still there; the others ended, and their rows say for whom. `options`: null where nobody asks for people any more. */
export async function contactFates(
  ids: readonly string[],
  options: ContactsOptions | null,
  signal: AbortSignal,
): Promise<readonly Fate[]> {
  const known = ids.map((id) => ({ id, ...readId(id) }));
  const companies = new Map(
    known.map(({ company }) => [company.id, { id: company.id, updatedAt: null, payload: company }]),
  );
  const found = options ? await contactsOf([...companies.values()], options, signal) : [];
  const there = new Map(found.map((row) => [row.id, row]));
  return known.map(({ id, company, contact }) => {
    const row = there.get(id);
    if (row) return { id, state: "live", row, readAt: 0 };
    return { id, state: "gone", at: null, into: null, payload: { company, contact } };
  });
}

type Pair = readonly [company: string, contact: string];

/** A company with many people has them on several pages of its own. */
async function readPairs(client: HubspotClient, ids: readonly string[], signal: AbortSignal): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  let inputs: readonly { readonly id: string; readonly after?: string }[] = ids.map((id) => ({ id }));
  while (inputs.length > 0) {
    const { value } = await client.post({ path: PATHS.companyContacts, body: { inputs } }, associationsAnswer, signal);
    for (const { from, to } of value.results) for (const { toObjectId } of to) pairs.push([from.id, toObjectId]);
    inputs = value.results.flatMap(({ from, paging }) =>
      paging?.next ? [{ id: from.id, after: paging.next.after }] : [],
    );
  }
  return pairs;
}

function rowOf(company: string, properties: JsonObject, { id: contact, properties: said }: WireRow): Row {
  const own = Object.fromEntries(Object.entries(said).map(([name, text]) => [name, text === "" ? null : text]));
  const id = PREFIX + JSON.stringify([company, contact, properties, own]);
  return { id, updatedAt: null, payload: { id, ...readId(id) } };
}

function readId(id: string) {
  const [company, contact, companyProperties, contactProperties] = idSchema.parse(JSON.parse(id.slice(PREFIX.length)));
  return {
    company: { id: company, properties: companyProperties as JsonObject }, // As zod has checked.
    contact: { id: contact, properties: contactProperties as JsonObject },
  };
}

function picked({ properties }: JsonObject, names: readonly string[]): JsonObject {
  const all: JsonObject = typeof properties === "object" && properties !== null ? Object(properties) : {};
  return Object.fromEntries(names.map((name) => [name, all[name] ?? null]));
}
