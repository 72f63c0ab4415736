/** One message, from its JSON text to a row of the events table and, for a group identify, a change to a group. */

import { randomUUID } from "node:crypto";
import type { OutcomeCode } from "../core/destination.ts";
import { distinctIdProblem, groupKeyProblem } from "../core/group.ts";
import { isJsonObject, type JsonObject, type JsonValue, jsonErrorPlace } from "../core/json.ts";
import { GROUP_UNSET } from "../core/message.ts";
import { isUuidText } from "../core/uuid.ts";
import { type GroupSlots, takeSlots } from "./group-slots.ts";
import { readInstant } from "./instant.ts";

export interface EventRow {
  /** Lower case. */
  readonly uuid: string;
  readonly event: string;
  readonly distinctId: string;
  /** ms UTC. */
  readonly occurredAt: number;
  /** JSON text that any JSON reader takes. */
  readonly properties: string;
  /** Group keys by group index; holes where there is none. */
  readonly groupKeys: readonly (string | undefined)[];
  readonly change: GroupChange | null;
}

export interface GroupChange {
  readonly groupIndex: number;
  readonly groupKey: string;
  /** To be set. */
  readonly properties: JsonObject;
  readonly removed: readonly string[];
  /** ms UTC, like `arrivedAt`. */
  readonly occurredAt: number;
  readonly arrivedAt: number;
}

export interface Decoded {
  readonly row: EventRow;
  /** With the group types this message brought. */
  readonly slots: GroupSlots;
  /** Why nothing was done to groups, as in PostHog; null: whatever there was to do. */
  readonly idProblem: string | null;
}

export interface Undecodable {
  readonly problem: string;
  /** Of a small set; PostHog's own word where it has one. */
  readonly code: OutcomeCode;
}

/**
 * Reads a message as PostHog's ingestion does, but says what is wrong where PostHog would drop or ignore it.
 * Source: facts on PostHog, 2.1 and 6.1–6.3 (2026-11).
 */
export function decode(text: string, arrivedAt: number, slots: GroupSlots): Decoded | Undecodable {
  const message = parse(text);
  if ("problem" in message) return message;
  const fields = readFields(message.value, arrivedAt);
  if ("problem" in fields) return fields;
  const identified = readGroupIdentify(fields);
  if (identified && "problem" in identified) return identified;
  const groups = readGroups(fields);
  const taken = takeSlots(slots, [...(identified ? [identified.groupType] : []), ...groups.keys()]);
  if ("problem" in taken) return taken;
  const properties = writeJson(fields.properties);
  if (properties === null) return undecodable("serialization_failed", "the properties are nested too deeply");
  const groupKeys: (string | undefined)[] = [];
  for (const [groupType, groupKey] of groups) groupKeys[taken.indexOf(groupType)] = groupKey;
  const { uuid, event, distinctId, occurredAt, idProblem } = fields;
  const change = identified && toChange(identified, taken, occurredAt, arrivedAt);
  return { slots: taken, idProblem, row: { uuid, event, distinctId, occurredAt, properties, groupKeys, change } };
}

function parse(text: string): { readonly value: JsonObject } | Undecodable {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? { value } : undecodable("malformed_message", "the message is not a JSON object");
  } catch (thrown) {
    return undecodable("malformed_message", `the message is not JSON: ${jsonErrorPlace(thrown)}`);
  }
}

interface Fields {
  readonly uuid: string;
  readonly event: string;
  readonly distinctId: string;
  readonly occurredAt: number;
  readonly properties: JsonObject;
  readonly idProblem: string | null;
  /** PostHog does no group work for a personless event. */
  readonly hasGroups: boolean;
}

function readFields(message: JsonObject, arrivedAt: number): Fields | Undecodable {
  const properties = message.properties ?? {};
  if (!isJsonObject(properties)) return undecodable("malformed_event_properties", "properties is not an object");
  const { event } = message;
  if (typeof event !== "string" || event === "") return undecodable("missing_event_name", "event is missing");
  const distinctId = asText(message.distinct_id ?? message.$distinct_id ?? properties.distinct_id);
  if (distinctId === null) return undecodable("missing_distinct_id", "distinct_id is missing");
  const occurredAt = readTimestamp(message.timestamp, arrivedAt);
  if (occurredAt === null) return undecodable("invalid_event_timestamp", "timestamp is not an ISO 8601 time");
  const uuid = message.uuid ?? "";
  if (typeof uuid !== "string" || (uuid !== "" && !isUuidText(uuid))) {
    return undecodable("invalid_event_uuid", "uuid is not a UUID");
  }
  const idProblem = distinctIdProblem(distinctId);
  return {
    uuid: uuid === "" ? newUuid(occurredAt) : uuid.toLowerCase(),
    event: event.toWellFormed(),
    distinctId,
    occurredAt,
    properties,
    idProblem,
    hasGroups: properties.$process_person_profile !== false && idProblem === null,
  };
}

function readTimestamp(timestamp: JsonValue | undefined, arrivedAt: number): number | null {
  if (timestamp === undefined || timestamp === null || timestamp === "") return arrivedAt;
  return typeof timestamp === "string" ? (readInstant(timestamp)?.ms ?? null) : null;
}

interface GroupIdentify {
  readonly groupType: string;
  readonly groupKey: string;
  readonly properties: JsonObject;
  readonly removed: readonly string[];
}

/** Of a group identify, or of prickle's own event that removes properties. */
function readGroupIdentify({ event, properties, hasGroups }: Fields): GroupIdentify | Undecodable | null {
  if ((event !== "$groupidentify" && event !== GROUP_UNSET) || !hasGroups) return null;
  const groupType = asText(properties.$group_type);
  const groupKey = asText(properties.$group_key);
  if (groupType === null) return undecodable("invalid_group_type", "$group_type is missing");
  if (groupKey === null) return undecodable("invalid_group_key", "$group_key is missing");
  const keyProblem = groupKeyProblem(groupKey);
  if (keyProblem) return undecodable("invalid_group_key", keyProblem);
  if (event === GROUP_UNSET) {
    const names = Array.isArray(properties.$group_unset) ? properties.$group_unset : [];
    const removed = names.filter((name) => typeof name === "string");
    return { groupType, groupKey, properties: {}, removed };
  }
  const set = properties.$group_set ?? {};
  if (!isJsonObject(set)) return undecodable("invalid_group_set", "$group_set is not an object");
  return { groupType, groupKey, properties: set, removed: [] };
}

function toChange(
  { groupType, groupKey, properties, removed }: GroupIdentify,
  slots: GroupSlots,
  occurredAt: number,
  arrivedAt: number,
): GroupChange {
  return { groupIndex: slots.indexOf(groupType), groupKey, properties, removed, occurredAt, arrivedAt };
}

/** Group type → group key. One key per type; what is no text, or empty, is no group. */
function readGroups({ properties: { $groups }, hasGroups }: Fields): ReadonlyMap<string, string> {
  const groups = new Map<string, string>();
  if (!hasGroups || !isJsonObject($groups)) return groups;
  for (const groupType in $groups) {
    const groupKey = asText($groups[groupType]);
    if (groupKey !== null) groups.set(groupType.toWellFormed(), groupKey);
  }
  return groups;
}

function undecodable(code: OutcomeCode, problem: string): Undecodable {
  return { code, problem };
}

/** Non-empty text of a string or number, with what PostgreSQL and UTF-8 cannot hold replaced. */
function asText(value: JsonValue | undefined): string | null {
  if (typeof value === "number") return String(value);
  if (typeof value !== "string" || value === "") return null;
  return value.toWellFormed().replaceAll("\0", "\ufffd");
}

/** Halves of surrogate pairs, which JSON.stringify escapes and DuckDB refuses, become U+FFFD. Null: nested too deeply. */
export function writeJson(value: JsonObject): string | null {
  try {
    const text = JSON.stringify(value);
    return text.includes("\\ud") ? text.replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, "$1\ufffd") : text;
  } catch {
    return null;
  }
}

/** A version 7 UUID. */
function newUuid(ms: number): string {
  const time = Math.max(0, ms).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
