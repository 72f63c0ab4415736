/** Rows as a mapping reads them: the same from JSON as from the CSV of a bulk query. */

import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { Row } from "../../core/row-source.ts";
import type { FieldTypes } from "./fields.ts";
import type { SalesforceRecord } from "./shapes.ts";

const NUMBERS = ["int", "long", "double", "currency", "percent"];

export function rowOf(record: SalesforceRecord, types: FieldTypes): Row {
  const { Id: id, SystemModstamp } = record;
  const payload: JsonObject = { Id: id };
  for (const [name, type] of Object.entries(types)) payload[name] = jsonOf(record[name], type);
  return { id, updatedAt: Date.parse(SystemModstamp), payload };
}

/** A line of a CSV as the record that JSON would have had. */
export function recordOfCells(columns: readonly string[], cells: readonly string[], types: FieldTypes) {
  return Object.fromEntries(columns.map((name, at) => [name, ofText(cells[at] ?? "", types[name] ?? "string")]));
}

/** An empty text is null in JSON. */
function ofText(text: string, type: string): JsonValue {
  if (text === "") return null;
  if (type === "boolean") return text === "true";
  if (NUMBERS.includes(type) && !Number.isNaN(Number(text))) return Number(text);
  return text;
}

/** Times come with `+0000` in JSON, with `Z` in CSV. */
function jsonOf(value: unknown, type: string): JsonValue {
  if (type === "datetime" && typeof value === "string") {
    const at = Date.parse(value);
    return Number.isNaN(at) ? value : new Date(at).toISOString();
  }
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return isJsonObject(value) ? value : null;
}
