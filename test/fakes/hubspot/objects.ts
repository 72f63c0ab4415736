/** List, batch read and associations of a fake HubSpot (facts: HubSpot, 3, 5 and 7). */

import { type Answer, type Asked, invalid, ok, unknownIn } from "./answer.ts";
import type { HubspotStore, StoredCompany } from "./store.ts";

const DEFAULTS = ["name", "domain"];
const ALWAYS = ["createdate", "hs_lastmodifieddate", "hs_object_id"];
const MOST_ROWS = 100;

export function listCompanies(asked: Asked, store: HubspotStore): Answer {
  const wrong = unknownIn(asked, ["limit", "after", "properties", "archived"], []);
  if (wrong) return wrong;
  const { query } = asked;
  const limit = Number(query.get("limit") ?? 10);
  if (!(limit >= 1 && limit <= MOST_ROWS)) return invalid("limit must be at most 100");
  const isArchived = query.get("archived") === "true";
  const after = query.get("after");
  const last = after === null ? 0 : Number(Buffer.from(after, "base64").toString());
  const names = namesIn(query.get("properties"));
  const slots = store.slots(isArchived);
  const from = firstAfter(slots, last);
  const page = slots.slice(from, from + limit);
  const results = page.flatMap(({ company }) => (company ? [objectOf(company, names, store)] : []));
  const end = page.at(-1)?.id;
  const next = end !== undefined && from + limit < slots.length ? { after: Buffer.from(end).toString("base64") } : null;
  return ok({ results, ...(next ? { paging: { next } } : {}) });
}

function firstAfter(slots: readonly { readonly id: string }[], last: number): number {
  let [low, high] = [0, slots.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Number(slots[middle]?.id) > last) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function batchReadCompanies(asked: Asked, store: HubspotStore, followsMerges: boolean): Answer {
  const ids = idsIn(asked);
  if ("status" in ids) return ids;
  const isArchived = asked.query.get("archived") === "true";
  const { properties } = asked.body;
  const names = [...(Array.isArray(properties) ? properties.map(String) : []), ...ALWAYS];
  const found = ids.flatMap((id) => {
    const company = store.get(id) ?? (followsMerges ? store.get(store.survivorOf(id) ?? "") : undefined);
    return company && (company.archivedAt !== null) === isArchived ? [company] : [];
  });
  const results = [...new Set(found)].map((company) => objectOf(company, names, store));
  return batchOf(results, ids.length - found.length);
}

export function batchReadContacts(asked: Asked, store: HubspotStore): Answer {
  const ids = idsIn(asked);
  if ("status" in ids) return ids;
  const results = ids.flatMap((id) => {
    const contact = store.contacts.get(id);
    return contact ? [{ id, properties: contact, createdAt: null, archived: false }] : [];
  });
  return batchOf(
    results.map((one) => ({ ...one, createdAt: new Date(0).toISOString(), updatedAt: new Date(0).toISOString() })),
    ids.length - results.length,
  );
}

function batchOf(results: readonly unknown[], missing: number): Answer {
  if (missing === 0) return ok({ status: "COMPLETE", results });
  const errors = [{ status: "error", category: "OBJECT_NOT_FOUND", message: "Could not get some COMPANY objects." }];
  return ok({ status: "COMPLETE", results, numErrors: missing, errors }, 207);
}

function idsIn(asked: Asked): readonly string[] | Answer {
  const wrong = unknownIn(asked, ["archived"], ["inputs", "properties", "propertiesWithHistory"]);
  if (wrong) return wrong;
  const { inputs, properties, propertiesWithHistory } = asked.body;
  if (![inputs, properties, propertiesWithHistory].every(Array.isArray)) return invalid("three arrays are required");
  const ids = (Array.isArray(inputs) ? inputs : []).map(({ id }: { id: unknown }) => String(id));
  return ids.length > MOST_ROWS || ids.length === 0 ? invalid("inputs must have 1 to 100 items") : ids;
}

export function objectOf(company: StoredCompany, names: readonly string[], store: HubspotStore) {
  const { id, createdAt, updatedAt, archivedAt } = company;
  const all: Record<string, string | null> = {
    ...company.properties,
    hs_object_id: id,
    hs_lastmodifieddate: new Date(updatedAt).toISOString(),
    createdate: new Date(createdAt).toISOString(),
  };
  // Names that it does not know it leaves out without a word.
  const known = names.filter((name) => ALWAYS.includes(name) || isLive(name, store));
  return {
    id,
    properties: Object.fromEntries(known.map((name) => [name, all[name] ?? null])),
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
    archived: archivedAt !== null,
    ...(archivedAt === null ? {} : { archivedAt: new Date(archivedAt).toISOString() }),
    url: `https://app.hubspot.com/contacts/1/record/0-2/${id}`,
  };
}

function isLive(name: string, { properties }: HubspotStore): boolean {
  const property = properties.get(name);
  return property !== undefined && property.archived !== true;
}

function namesIn(parameter: string | null): readonly string[] {
  return [...(parameter?.split(",") ?? DEFAULTS), ...ALWAYS];
}

const MOST_INPUTS = 1000;

export function readAssociations(asked: Asked, store: HubspotStore, pageRows: number): Answer {
  const wrong = unknownIn(asked, [], ["inputs"]);
  if (wrong) return wrong;
  const { inputs } = asked.body;
  if (!Array.isArray(inputs) || inputs.length === 0 || inputs.length > MOST_INPUTS) return invalid("1 to 1000 inputs");
  const results = inputs.flatMap(({ id, after = "0" }: { id: string; after?: string }) => {
    const contacts = [...(store.associations.get(id) ?? [])];
    if (contacts.length === 0) return [];
    const end = Number(after) + pageRows;
    const associationTypes = [{ category: "HUBSPOT_DEFINED", typeId: 2, label: null }];
    const to = contacts.slice(Number(after), end).map((toObjectId) => ({ toObjectId, associationTypes }));
    return [{ from: { id }, to, ...(end < contacts.length ? { paging: { next: { after: String(end) } } } : {}) }];
  });
  return ok({ status: "COMPLETE", results });
}
