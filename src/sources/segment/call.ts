/** A Segment call: what it must look like, and the record it becomes. Source: facts on Segment, 1.2, 2.1–2.3 and 3. */

import { hash } from "node:crypto";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { Rejection, SourceRecord } from "../../core/record.ts";
import { type CallProblem, callProblem, describe, isAbsent, normalizeIds } from "./call-shape.ts";
import { MAX_NESTING, prune, weigh } from "./nesting.ts";
import { parseTime } from "./time.ts";

export interface CallContext {
  readonly source: string;
  readonly receivedAt: number;
  /** The client's clock when it sent the request, ms UTC: corrects its times. Null: they are taken as they are. */
  readonly sentAt: number | null;
  /** Tells apart calls that state neither an id nor a time: where the call stood. */
  readonly position: string;
  /** Of the call as compact JSON. */
  readonly maxBytes: number;
}

/**
 * Reads a parsed call, which it owns from here on: ids that came as numbers become strings in it. Never throws.
 * A call without `messageId` is known by the hash of its content; without a time too, by its content and position,
 * since two such calls may well be two events.
 */
export function readCall(value: JsonValue, context: CallContext): SourceRecord | Rejection {
  const sizeProblem = tooLarge(value, context.maxBytes);
  if (sizeProblem) return rejectCall(value, context, sizeProblem);
  if (!isJsonObject(value)) return rejectCall(value, context, notACall(value));
  normalizeIds(value);
  const problem = callProblem(value);
  if (problem) return rejectCall(value, context, problem);
  const times = readTimes(value, context);
  if ("reason" in times) return rejectCall(value, context, times);
  const { source, receivedAt } = context;
  const { occurredAt, statedAt, isCapped } = times;
  const id = messageId(value) ?? contentId(value, statedAt === null ? context.position : "");
  const record = { source, id, occurredAt, statedAt, receivedAt, payload: value };
  return isCapped ? { ...record, isTimeCapped: true } : record;
}

export function isRejection(outcome: SourceRecord | Rejection): outcome is Rejection {
  return "reason" in outcome;
}

export function rejectCall(
  value: JsonValue,
  { source, receivedAt }: Pick<CallContext, "source" | "receivedAt">,
  { reason, detail }: CallProblem,
): Rejection {
  const recordId = isJsonObject(value) ? messageId(value) : null;
  const payload = weigh(value) === Number.POSITIVE_INFINITY ? prune(value) : value;
  return { source, recordId, reason, detail, receivedAt, payload };
}

function notACall(value: JsonValue): CallProblem {
  return { reason: "not_a_call", detail: `A call is a JSON object; found ${describe(value)}.` };
}

/** The bound is cheap and nearly always settles it; only what it leaves in doubt is measured. */
function tooLarge(value: JsonValue, maxBytes: number): CallProblem | null {
  const bound = weigh(value);
  if (bound === Number.POSITIVE_INFINITY) {
    return { reason: "invalid_field", detail: `The call nests deeper than the ${MAX_NESTING} levels allowed.` };
  }
  if (bound <= maxBytes) return null;
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes <= maxBytes) return null;
  return { reason: "call_too_large", detail: `The call has ${bytes} bytes; ${maxBytes} are allowed.` };
}

interface CallTimes {
  readonly occurredAt: number;
  readonly statedAt: number | null;
  readonly isCapped: boolean;
}

/**
 * What Segment's edge does: timestamp = receivedAt - (sentAt - originalTimestamp), never later than receivedAt.
 * A call that has been through an edge (it has `receivedAt`, or both times) is not corrected again.
 */
function readTimes(call: JsonObject, { receivedAt, sentAt }: CallContext): CallTimes | CallProblem {
  const given = parseTime(call.timestamp);
  if (Number.isNaN(given)) return timeProblem("timestamp", call.timestamp);
  const original = call.originalTimestamp === call.timestamp ? given : parseTime(call.originalTimestamp);
  if (Number.isNaN(original)) return timeProblem("originalTimestamp", call.originalTimestamp);
  const statedAt = original ?? given;
  const told = given ?? original;
  if (told === null) return capped(parseTime(call.receivedAt) || receivedAt, statedAt, receivedAt);
  const corrected = sentAt === null || (given !== null && original !== null) || !isAbsent(call.receivedAt);
  return capped(corrected ? told : Math.max(0, receivedAt - (sentAt - told)), statedAt, receivedAt);
}

function capped(at: number, statedAt: number | null, receivedAt: number): CallTimes {
  return { occurredAt: Math.min(at, receivedAt), statedAt, isCapped: at > receivedAt };
}

function timeProblem(field: string, found: JsonValue | undefined): CallProblem {
  return { reason: "invalid_field", detail: `${field}: found ${describe(found)}; an ISO 8601 time is allowed.` };
}

function messageId({ messageId }: JsonObject): string | null {
  return typeof messageId === "string" && messageId !== "" ? messageId : null;
}

/** `sentAt` is left out: it differs on each retry. */
function contentId(call: JsonObject, position: string): string {
  return `sha1:${hash("sha1", `${position}\0${JSON.stringify({ ...call, sentAt: null })}`, "hex")}`;
}
