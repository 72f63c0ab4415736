/** Values of a record without their history: of each attribute what holds now. */

import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { Row } from "../../core/row-source.ts";
import type { AttioRecord, AttioValue } from "./shapes.ts";

/** Where entries hold what they say, by the type of the attribute; others say it as `value`. */
const PLACES: Readonly<Record<string, string>> = {
  currency: "currency_value",
  domain: "domain",
  "email-address": "email_address",
  "phone-number": "phone_number",
  "personal-name": "full_name",
  "record-reference": "target_record_id",
  "actor-reference": "referenced_actor_id",
  interaction: "interacted_at",
};
/** Of which a record has several by nature: one is a list, too. */
const LISTS = ["domain", "email-address", "phone-number"];
/** Where a select or a status has its name. */
const TITLED = ["option", "status"];
/** Of every entry: they say nothing of what holds. */
const MARKS = ["active_from", "active_until", "created_by_actor", "attribute_type"];

export function rowOf({ id, created_at, web_url, values }: AttioRecord): Row {
  const entries = Object.entries(values).map(([slug, all]) => [slug, current([all].flat())]);
  const payload: JsonObject = {
    id: id.record_id,
    created_at: created_at ?? null,
    web_url: web_url ?? null,
    values: Object.fromEntries(entries),
  };
  return { id: id.record_id, updatedAt: null, payload };
}

/** Nothing is null, one is itself, more are a list. */
function current(entries: readonly AttioValue[]): JsonValue {
  const held = entries.filter(({ active_until }) => (active_until ?? null) === null);
  const said = held.map(saidBy);
  const isList = said.length > 1 || held.some(({ attribute_type }) => LISTS.includes(String(attribute_type)));
  return isList ? said : (said[0] ?? null);
}

function saidBy(entry: AttioValue): JsonValue {
  const place = PLACES[String(entry.attribute_type)] ?? "value";
  if (place in entry) return toJson(entry[place]);
  for (const kind of TITLED) {
    const titled = entry[kind];
    if (isJsonObject(titled)) return titled.title ?? null;
    if (typeof titled === "string") return titled;
  }
  return toJson(Object.fromEntries(Object.entries(entry).filter(([key]) => !MARKS.includes(key))));
}

/** It comes from JSON. */
function toJson(value: unknown): JsonValue {
  return (value ?? null) as JsonValue;
}
