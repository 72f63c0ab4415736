/** Names of columns: people write labels, programs internal names, and either in any case. */

import { HUBSPOT_LABELS } from "./hubspot-labels.ts";
import { SALESFORCE_LABELS, SALESFORCE_NAMES } from "./salesforce-names.ts";

/** `segment`: rows are calls. `rows`: as they stand. */
export const ROW_FORMS = ["segment", "hubspot", "salesforce", "rows"] as const;
export type RowForm = (typeof ROW_FORMS)[number];

/** Alike whatever the case, spaces and signs: "Record ID", "record_id" and "RecordId" are one. */
export function alike(name: string): string {
  return name
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");
}

/** How a form calls a column. For those of one file, each name once: the first keeps it. */
export function namesOf(columns: readonly string[], form: RowForm): readonly string[] {
  const taken = new Set<string>();
  return columns.map((column) => {
    const name = nameIn(form, column);
    const given = taken.has(name) ? column : name;
    taken.add(given);
    return given;
  });
}

export function nameIn(form: RowForm, column: string): string {
  if (form === "hubspot") return hubspotName(column);
  if (form === "salesforce") return SALESFORCE.get(alike(column)) ?? customField(column);
  return column;
}

/** A property that is not in the table has the name HubSpot makes of its label: "Customer Tier" is `customer_tier`. */
function hubspotName(column: string): string {
  const label = column.replace(/\s*\((?:GMT|UTC)[^)]*\)\s*$/i, "");
  const known = HUBSPOT.get(alike(label));
  if (known !== undefined) return known;
  const name = label
    .normalize("NFKC")
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_]+/gu, "_")
    .replace(/^_+|_+$/g, "");
  return name === "" ? column : name;
}

/** Of one in capitals: `TIER_LEVEL__C` is `Tier_Level__c`, as Salesforce makes it of a label. */
function customField(column: string): string {
  if (!/^[A-Z0-9_]+__C$/.test(column)) return column;
  const words = column.slice(0, -"__C".length).toLowerCase();
  return `${words.replace(/(?:^|_)[a-z]/g, (begin) => begin.toUpperCase())}__c`;
}

const HUBSPOT = new Map(
  Object.entries(HUBSPOT_LABELS).flatMap(([name, labels]) =>
    [name, ...labels].map((label) => [alike(label), name] as const),
  ),
);

const SALESFORCE = new Map([
  ...SALESFORCE_NAMES.map((name) => [alike(name), name] as const),
  ...Object.entries(SALESFORCE_LABELS).map(([label, name]) => [alike(label), name] as const),
]);
