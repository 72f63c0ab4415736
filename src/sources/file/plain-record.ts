/** A line that is a record as it stands, as a CRM's export has them: any JSON object. */

import { hash } from "node:crypto";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { Rejection, SourceRecord } from "../../core/record.ts";
import type { LineContext } from "./read-page.ts";

/** Known by its `id`, or else by its content and where it stands. It happened when it was received. */
export function readPlainRecord(
  value: JsonValue,
  { source, receivedAt, position }: LineContext,
): SourceRecord | Rejection {
  if (!isJsonObject(value)) {
    const found = Array.isArray(value) ? "a list" : JSON.stringify(value);
    const detail = `A record is a JSON object; found ${found}.`;
    return { source, recordId: null, reason: "not_a_call", detail, receivedAt, payload: value };
  }
  const id = idOf(value) ?? `sha1:${hash("sha1", `${position}\0${JSON.stringify(value)}`, "hex")}`;
  return { source, id, occurredAt: receivedAt, statedAt: null, receivedAt, payload: value };
}

function idOf({ id }: JsonObject): string | null {
  if (typeof id === "number") return String(id);
  return typeof id === "string" && id !== "" ? id : null;
}
