/** Values of rows: numbers that JSON cannot hold exactly are texts, times are UTC. */

import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { type ColumnTypes, isTime } from "./columns.ts";

/** `text`: a row as PostgreSQL's to_jsonb gives it. */
export function payloadOf(text: string, types: ColumnTypes): JsonObject {
  const row: unknown = JSON.parse(text, exactly);
  if (!isJsonObject(row)) return {};
  for (const [name, value] of Object.entries(row)) {
    if (isTime(types.get(name)) && typeof value === "string") row[name] = utc(value);
  }
  return row;
}

/** ms UTC, of a timestamp as text; null for `infinity`. Without a zone it is UTC. */
export function timeOf(text: string | null): number | null {
  if (text === null) return null;
  const iso = text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00");
  const at = Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(iso) ? iso : `${iso}Z`);
  return Number.isNaN(at) ? null : at;
}

function utc(text: string): string {
  const at = timeOf(text);
  return at === null ? text : new Date(at).toISOString();
}

function exactly(_key: string, value: JsonValue, { source }: { readonly source?: string } = {}): JsonValue {
  if (typeof value !== "number" || source === undefined) return value;
  const plain = source.includes(".") ? source.replace(/\.?0+$/, "") : source;
  return String(value) === plain ? value : source;
}
