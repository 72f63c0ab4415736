/**
 * What PostHog would take and do nothing with, or the wrong thing, is mended or refused before it is sent. Mapping and
 * commit hold all of it already; this is for what an older prickle, or another one, left in the outbox (facts on PostHog, 4–6).
 */

import type { Outcome } from "../../core/destination.ts";
import { distinctIdProblem, fittingDistinctId, groupKeyProblem, mayBeReserved } from "../../core/group.ts";
import { isoTime } from "../../core/iso-time.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { MAX_EVENT_BYTES, type OutboxMessage } from "../../core/message.ts";
import { isPersonless } from "../../core/personless.ts";
import {
  distinctIdOf,
  GROUP_IDENTIFY,
  isLaterThan,
  isLongId,
  type MessageText,
  namesGroups,
  PERSON_PROFILE,
  PERSON_PROPERTIES,
  readText,
  timestampOf,
} from "./message-text.ts";

/** A message as it is to be sent; `properties` come last in its text. */
export interface CheckedMessage extends MessageText {
  /** What was mended, in one line; absent: nothing. */
  readonly mended?: Mended;
}

interface Mended {
  readonly code: string;
  readonly note: string;
}

/** `now` is ms UTC. */
export type Check = (message: Pick<OutboxMessage, "body">, now: number) => CheckedMessage | Outcome;

/** What is added on the way out, at most. */
const ADDED_BYTES = 200;
/** PostHog takes what is up to 23 hours ahead for clock skew. */
const MOST_AHEAD_MS = 23 * 3_600_000;
/** A clock that shows an earlier time is wrong: nothing can be told by it. */
const EARLIEST_NOW = Date.UTC(2026, 0, 1);

/** `renamed`: the distinct id for group identifies; null: as they were committed. */
export function createCheck(renamed: GroupIds | null): Check {
  return ({ body }, now) => {
    if (body.length > MAX_EVENT_BYTES - ADDED_BYTES) {
      return dead("message_too_large", `it has ${body.length} bytes; PostHog takes ${MAX_EVENT_BYTES}`);
    }
    const text = readText(body);
    if (!text) return MALFORMED;
    const problem = idProblem(text) ?? timeProblem(text, now);
    if (problem) return problem;
    const isIdentify = (text.traits & GROUP_IDENTIFY) !== 0;
    const isSuspect = isIdentify || isLongId(text) || (text.traits & PERSON_PROFILE) !== 0;
    if (!isSuspect || (isIdentify && renamed === null && isPlainIdentify(text))) return text;
    return checkParsed(text, renamed);
  };
}

/** The distinct id of a group's identifies. */
type GroupIds = (groupType: string, groupKey: string) => string;

function idProblem(text: MessageText): Outcome | null {
  const { body, idFrom, idTo } = text;
  if (idTo > idFrom && !mayBeReserved(body[idFrom] ?? 0, body[idTo - 1] ?? 0)) return null;
  const problem = distinctIdProblem(distinctIdOf(text));
  return problem === null ? null : dead("illegal_distinct_id", problem);
}

function timeProblem(text: MessageText, now: number): Outcome | null {
  if (now < EARLIEST_NOW || !isLaterThan(latest(now), text)) return null;
  return dead("future_timestamp", `its timestamp ${timestampOf(text)} is more than 23 hours ahead`);
}

let latestOf = { now: 0, bytes: Buffer.alloc(0) };

function latest(now: number): Uint8Array {
  if (now !== latestOf.now) latestOf = { now, bytes: Buffer.from(isoTime(now + MOST_AHEAD_MS)) };
  return latestOf.bytes;
}

/** As core/message.ts lays them: nothing but group type, key and properties. */
function isPlainIdentify({ body, traits, idTo }: MessageText): boolean {
  if ((traits & (PERSON_PROPERTIES | PERSON_PROFILE)) !== 0) return false;
  const typeAt = body.indexOf(TYPE, idTo) + TYPE.length;
  const keyAt = body.indexOf(KEY, typeAt) + KEY.length;
  const setAt = body.indexOf(SET, keyAt);
  const isFilled = body[typeAt] !== QUOTE && body[keyAt] !== QUOTE;
  return isFilled && typeAt < keyAt && keyAt < setAt && setAt - typeAt < SHORT_KEY;
}

const TYPE = '{"$group_type":"';
const KEY = '","$group_key":"';
const SET = '","$group_set":{';
const QUOTE = 0x22;

/** Type, key and their names: what is shorter cannot hold a key of more than 400 characters. */
const SHORT_KEY = 400;

function checkParsed(message: MessageText, renamed: GroupIds | null): CheckedMessage | Outcome {
  const event: unknown = JSON.parse(message.body.toString());
  if (!isJsonObject(event) || !isJsonObject(event.properties)) return dead("malformed_message", "it has no properties");
  const isIdentify = event.event === "$groupidentify";
  const problem = isIdentify ? identifyProblem(event.properties) : null;
  if (problem) return problem;
  const mended = mendProfile(event.properties, isIdentify) ?? (isIdentify ? mendPersonProperties(event) : null);
  const id = String(event.distinct_id);
  const { $group_type, $group_key } = event.properties;
  const fitting = isIdentify && renamed ? renamed(String($group_type), String($group_key)) : fittingDistinctId(id);
  if (mended === null && fitting === id) return message;
  const text = readText(Buffer.from(JSON.stringify({ ...event, distinct_id: fitting })));
  if (!text) return MALFORMED;
  const found = mended ?? (isIdentify || fitting === id ? null : HASHED);
  return found ? { ...text, mended: found } : text;
}

const HASHED = { code: "mended_distinct_id", note: "its distinct id, which PostHog would have cut, was hashed" };

/** What PostHog would pass over in silence. */
function identifyProblem({ $group_type: type, $group_key: key, $group_set: set }: JsonObject): Outcome | null {
  if (typeof type !== "string" || type === "") return dead("invalid_group_type", "it names no group type");
  const problem = typeof key === "string" ? groupKeyProblem(key) : "the key is no text";
  if (problem) return dead("invalid_group_key", problem);
  return isJsonObject(set) ? null : dead("invalid_group_set", "its $group_set is no object");
}

/** Groups need person processing. */
function mendProfile(properties: JsonObject, isIdentify: boolean): Mended | null {
  if (!isPersonless(properties) || !(isIdentify || isJsonObject(properties.$groups))) return null;
  delete properties.$process_person_profile;
  return {
    code: "mended_personless",
    note: "$process_person_profile: false was taken off, for PostHog passes over its groups",
  };
}

/** PostHog drops them. */
function mendPersonProperties(event: JsonObject): Mended | null {
  const holders = [event, event.properties].filter((holder) => isJsonObject(holder));
  const found = holders.flatMap((holder) =>
    ["$set", "$set_once"].filter((name) => name in holder).map((name) => [holder, name] as const),
  );
  if (found.length === 0) return null;
  for (const [holder, name] of found) delete holder[name];
  return {
    code: "mended_person_properties",
    note: "person properties were taken off a group identify, where PostHog drops them",
  };
}

const MALFORMED = dead("malformed_message", "it is no text of a message");

function dead(code: string, detail: string): Outcome {
  return { kind: "dead", code, reason: `${code}: ${detail}` };
}

/** Whether PostHog's refusal to process a person costs it the groups: a group identify, or an event that names groups. */
export function isGroupMessage(message: MessageText): boolean {
  return (message.traits & GROUP_IDENTIFY) !== 0 || namesGroups(message);
}
