/** One event of protocol v1: why it is dropped, or the message the engine is to have. Source: facts on PostHog, 3.4 and 3.6 (2026-11). */

import { MAX_ID_BYTES } from "../../core/group.ts";
import { isoTime } from "../../core/iso-time.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { MAX_EVENT_BYTES } from "../../core/message.ts";
import type { SentEvent } from "./batch.ts";
import type { Head } from "./head.ts";
import { readOptions } from "./options.ts";
import { isStorableTime, readRfc3339 } from "./rfc-3339.ts";

export interface Dropped {
  /** As PostHog names it. */
  readonly details: string;
}

export interface Kept {
  /** JSON text in v0's form. */
  readonly body: Buffer;
}

/** A clock that is right, and what the request says beside its events. */
export interface Arrival extends Head {
  /** ms UTC. */
  readonly now: number;
}

const MAX_NAME_BYTES = 200;
/** What is more ahead is set to now. */
const MOST_AHEAD_MS = 23 * 3_600_000;

export function judge(sent: SentEvent, arrival: Arrival): Kept | Dropped {
  const details = fieldProblem(sent);
  if (details !== null) return { details };
  const { event, uuid, distinct_id, properties = {} } = sent;
  const statedAt = readRfc3339(sent.timestamp);
  if (statedAt === null) return { details: INVALID_TIME };
  if (!isJsonObject(properties)) return { details: "malformed_event_properties" };
  const options = readOptions(sent.options);
  if (options === null) return { details: "invalid_options" };
  const occurredAt = options.$ignore_sent_at === true ? statedAt : correctSkew(statedAt, arrival);
  if (!isStorableTime(occurredAt)) return { details: INVALID_TIME };
  const timestamp = isoTime(occurredAt);
  const all = { ...properties, ...added(sent, options, arrival) };
  return lay({ event, distinct_id, uuid, timestamp, properties: all });
}

const INVALID_TIME = "invalid_event_timestamp";

function fieldProblem({ event, distinct_id: distinctId }: SentEvent): string | null {
  if (event === "$performance_event") return "dropped_performance_event";
  if (event === "") return "missing_event_name";
  if (Buffer.byteLength(event) > MAX_NAME_BYTES) return "event_name_too_long";
  if (distinctId === "") return "missing_distinct_id";
  return Buffer.byteLength(distinctId) > MAX_ID_BYTES ? "distinct_id_too_large" : null;
}

/** The sender's clock says when it sent the request, ours when it came. */
function correctSkew(statedAt: number, { requestedAt, now }: Arrival): number {
  const at = statedAt - (requestedAt - now);
  return at > now + MOST_AHEAD_MS ? now : at;
}

/** What PostHog writes over the event's own properties. */
function added({ session_id, window_id }: SentEvent, options: JsonObject, { library }: Head): JsonObject {
  return {
    ...(typeof session_id === "string" ? { $session_id: session_id } : {}),
    ...(typeof window_id === "string" ? { $window_id: window_id } : {}),
    ...options,
    ...(library ? { $lib: library.name, $lib_version: library.version } : {}),
  };
}

/** JSON.parse takes any depth, JSON.stringify does not. */
function lay(message: JsonObject): Kept | Dropped {
  try {
    const body = Buffer.from(JSON.stringify(message));
    return body.length > MAX_EVENT_BYTES ? { details: "event_too_big" } : { body };
  } catch {
    return { details: "serialization_failed" };
  }
}
