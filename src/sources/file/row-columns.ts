/** Which column tells a row's id, which its time; and which form a file's rows have. */

import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { alike, type RowForm } from "./row-names.ts";

/** First the most telling. */
const ID_NAMES = ["messageId", "hs_object_id", "Record ID", "Id", "Account ID"];
const TIME_NAMES = [
  ...["hs_lastmodifieddate", "Last Modified Date", "SystemModstamp", "LastModifiedDate", "updated_at", "modified_at"],
  ...["last_modified_at", "last_modified", "date_modified", "modified_date", "update_time", "timestamp", "received_at"],
];
const SALESFORCE_TIMES = ["SystemModstamp", "System Modstamp", ...TIME_NAMES];
const CALL_TYPES = new Set(["group", "track", "identify", "page", "screen", "alias"]);
const SALESFORCE_ID = /^[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?$/;

export function findColumn(columns: readonly string[], name: string): string | null {
  return columns.find((column) => column === name) ?? columns.find((column) => alike(column) === alike(name)) ?? null;
}

export function idColumnOf(columns: readonly string[]): string | null {
  return firstOf(columns, ID_NAMES);
}

export function timeColumnOf(columns: readonly string[], form: RowForm): string | null {
  return firstOf(columns, form === "salesforce" ? SALESFORCE_TIMES : TIME_NAMES);
}

/** From the names of the columns and, where there is one, the first record. */
export function guessForm(columns: readonly string[], first: JsonObject | null): RowForm {
  if (first && isCall(first)) return "segment";
  if (first && isJsonObject(first.properties) && "id" in first) return "hubspot";
  if (first && isJsonObject(first.attributes) && typeof first.Id === "string") return "salesforce";
  const names = new Set(columns.map(alike));
  if (names.has("recordid") || names.has("hsobjectid")) return "hubspot";
  const isAccount = names.has("systemmodstamp") || names.has("masterrecordid") || names.has("lastmodifiedbyid");
  if (names.has("accountid") && names.has("accountname")) return "salesforce";
  if (names.has("id") && (isAccount || (first !== null && SALESFORCE_ID.test(String(first.Id))))) return "salesforce";
  return "rows";
}

/** Whoever sends calls of a type that is none shall be told so. */
function isCall({ type, messageId, userId, anonymousId }: JsonObject): boolean {
  if (typeof type !== "string") return false;
  return CALL_TYPES.has(type) || [messageId, userId, anonymousId].some((id) => id !== undefined);
}

function firstOf(columns: readonly string[], names: readonly string[]): string | null {
  for (const name of names) {
    const found = findColumn(columns, name);
    if (found !== null) return found;
  }
  return null;
}
