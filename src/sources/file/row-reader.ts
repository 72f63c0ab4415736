/** Rows of CRM exports and of tables as records: what a mapping reads is what the CRM's API would give. */

import { hash } from "node:crypto";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { Rejection, SourceRecord } from "../../core/record.ts";
import type { LineContext, ReadLine } from "./read-page.ts";
import { nameIn, type RowForm } from "./row-names.ts";
import { createRowTimes, type RowTimes } from "./row-time.ts";

export interface RowReading {
  readonly form: Exclude<RowForm, "segment">;
  /** By the names the form gives them. Null: a row is known by its content; it happened when the run began. */
  readonly idColumn: string | null;
  readonly timeColumn: string | null;
  /** Of times that name none. Null: UTC, and times are left as they stand where nobody else would know better. */
  readonly zone: string | null;
  /** The columns have the form's names already. */
  readonly isNamed: boolean;
}

/**
 * A record is known by its id and a hash of its content, so that a row that changed is another and one that did not is
 * known; without an id by its content, and without a time too by where it stands. It owns the values it is given.
 */
export function createRowReader(reading: RowReading): ReadLine {
  const { form, zone, isNamed } = reading;
  const times = createRowTimes(zone ?? "utc");
  const isZoned = zone !== null || form === "hubspot";
  const nameOf = createNames(form);
  return (value, context) => {
    if (!isJsonObject(value)) return notARow(value, context);
    const isApi = form === "hubspot" && isJsonObject(value.properties);
    const row = isApi || isNamed ? value : renamed(value, nameOf);
    if (isZoned && !isApi) for (const name of Object.keys(row)) row[name] = times.zoned(row[name] ?? null);
    return recordOf(row, PAYLOADS[form](row, times), { reading, times, context });
  };
}

function createNames(form: RowForm): (column: string) => string {
  const names = new Map<string, string>();
  return (column) => {
    const name = names.get(column) ?? nameIn(form, column);
    names.set(column, name);
    return name;
  };
}

function renamed(value: JsonObject, nameOf: (column: string) => string): JsonObject {
  const row: JsonObject = {};
  for (const [column, cell] of Object.entries(value)) row[nameOf(column)] = cell;
  return row;
}

const PAYLOADS: Readonly<Record<RowReading["form"], (row: JsonObject, times: RowTimes) => JsonObject>> = {
  rows: (row) => row,
  hubspot: hubspotCompany,
  salesforce: salesforceAccount,
};

/** As its API gives a company, with the ids of those it took over. */
function hubspotCompany(row: JsonObject, times: RowTimes): JsonObject {
  if (isJsonObject(row.properties)) return row;
  const { hs_object_id: id = null, createdate, hs_lastmodifieddate: updated, archived } = row;
  const company: JsonObject = { id: id === null ? null : String(id), properties: row };
  for (const [name, value] of [["createdAt", createdate] as const, ["updatedAt", updated] as const]) {
    const at = times.read(value);
    if (at !== null) company[name] = Number.isNaN(at) ? (value ?? null) : new Date(at).toISOString();
  }
  const merged = row.hs_merged_object_ids;
  if (typeof merged === "string") company.mergedIds = merged.split(";").map((one) => one.trim());
  company.archived = archived === true || archived === "true";
  return company;
}

/** As prickle's source of them gives an account: without what the API says of the record itself. */
function salesforceAccount({ attributes: _attributes, ...account }: JsonObject): JsonObject {
  return account;
}

interface RecordContext {
  readonly reading: RowReading;
  readonly times: RowTimes;
  readonly context: LineContext;
}

function recordOf(row: JsonObject, payload: JsonObject, { reading, times, context }: RecordContext) {
  const { source, receivedAt, position } = context;
  const statedAt = times.read(cellOf(row, reading.timeColumn));
  const id = idOf(cellOf(row, reading.idColumn));
  if (Number.isNaN(statedAt)) return badTime(row, payload, id, { reading, times, context });
  const content = JSON.stringify(payload);
  const digest = (text: string) => hash("sha1", text, "hex");
  const ownId =
    id === null ? `sha1:${digest(`${statedAt === null ? position : ""}\0${content}`)}` : `${id}:${digest(content)}`;
  const told = statedAt ?? receivedAt;
  const occurredAt = Math.min(told, receivedAt);
  const record: SourceRecord = { source, id: ownId, occurredAt, statedAt, receivedAt, payload };
  return told > receivedAt ? { ...record, isTimeCapped: true as const } : record;
}

/** HubSpot's API has most values within `properties`. */
function cellOf(row: JsonObject, column: string | null): JsonValue | undefined {
  if (column === null) return undefined;
  return row[column] ?? (isJsonObject(row.properties) ? row.properties[column] : undefined);
}

function idOf(value: JsonValue | undefined): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}

function badTime(row: JsonObject, payload: JsonObject, recordId: string | null, parts: RecordContext): Rejection {
  const { reading, context } = parts;
  const { source, receivedAt } = context;
  const found = JSON.stringify(cellOf(row, reading.timeColumn));
  const detail = `${reading.timeColumn}: found ${found}; a time is ISO 8601, such as 2026-11-24 10:15, or milliseconds.`;
  return { source, recordId, reason: "invalid_field", detail, receivedAt, payload };
}

function notARow(value: JsonValue, { source, receivedAt }: LineContext): Rejection {
  const found = Array.isArray(value) ? "a list" : JSON.stringify(value);
  const detail = `A record is a JSON object; found ${found}.`;
  return { source, recordId: null, reason: "not_a_call", detail, receivedAt, payload: value };
}
