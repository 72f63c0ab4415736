/** The door for Segment's SDKs: the HTTP tracking API under `/v1/`. Source: facts on Segment, 2. */

import { PrickleError } from "../../core/errors.ts";
import { isoTime } from "../../core/iso-time.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { Rejection, SourceRecord } from "../../core/record.ts";
import type { PushDoor, PushRequest } from "../../core/source.ts";
import { intakeOf, parseBody } from "./body.ts";
import { isRejection, readCall, rejectCall } from "./call.ts";
import { type CallType, describe, isAbsent } from "./call-shape.ts";
import { mergeShared, readShared, type SharedFields } from "./shared-fields.ts";
import { parseTime } from "./time.ts";
import { createWriteKeys, type KeyedSource } from "./write-keys.ts";

export interface TrackingDoorOptions {
  readonly sources: readonly KeyedSource[];
  /** Default: Segment's own. */
  readonly limits?: Partial<TrackingLimits>;
}

export interface TrackingLimits {
  /** Of a request with one call, and of each call in a batch as compact JSON. */
  readonly maxCallBytes: number;
  readonly maxBatchBytes: number;
  readonly maxBatchCalls: number;
}

const SEGMENT_LIMITS: TrackingLimits = {
  maxCallBytes: 32 * 1024,
  maxBatchBytes: 500 * 1024,
  maxBatchCalls: 2500,
};

/** Full names as servers use them, one letter as browsers do. */
const ENDPOINTS: ReadonlyMap<string, CallType | "batch"> = new Map<string, CallType | "batch">([
  ...(["track", "identify", "group", "page", "screen", "alias"] as const).flatMap(
    (type) =>
      [
        [type, type],
        [type.charAt(0), type],
      ] as const,
  ),
  ["batch", "batch"],
  ["import", "batch"],
  ["b", "batch"],
]);

/**
 * Reads one request to `/v1/<path>`; the write key tells its source. Each call gets what Segment's edge would add:
 * `type` from the path, the batch's `context` and `integrations` (the call's own win), `messageId`, `originalTimestamp`,
 * the corrected `timestamp`, `receivedAt`. The write key itself is left out.
 * @throws NOT_FOUND for other paths; CONFIG_INVALID when made with a write key that two sources share.
 */
export function createTrackingDoor({ sources, limits }: TrackingDoorOptions): PushDoor {
  const sourceOf = createWriteKeys(sources);
  const allowed = { ...SEGMENT_LIMITS, ...limits };
  return (request) => {
    const endpoint = ENDPOINTS.get(request.path) ?? ENDPOINTS.get(request.path.replace(/^\/|\/$/g, ""));
    if (endpoint === undefined) throw unknownPath();
    checkSize(request, endpoint === "batch" ? allowed.maxBatchBytes : allowed.maxCallBytes);
    const body = parseBody(request.body);
    if (!isJsonObject(body)) throw invalid(`The body is ${describe(body)}; a JSON object is needed.`);
    const source = sourceOf(request.headers.authorization, body);
    const { receivedAt } = request;
    const door = { source, receivedAt, received: isoTime(receivedAt), limits: allowed };
    return intakeOf(source, endpoint === "batch" ? readBatch(body, door) : [readSingle(body, endpoint, door)]);
  };
}

interface Door {
  readonly source: string;
  readonly receivedAt: number;
  /** The same as ISO 8601. */
  readonly received: string;
  readonly limits: TrackingLimits;
}

function readSingle(call: JsonObject, type: CallType, door: Door): SourceRecord | Rejection {
  call.type = type;
  // The request was measured as it came, without the type just added.
  return readOne(call, { door, sentAt: null, index: 0, maxBytes: Number.POSITIVE_INFINITY });
}

function readBatch(body: JsonObject, door: Door): (SourceRecord | Rejection)[] {
  const { batch } = body;
  if (!Array.isArray(batch)) throw invalid(`batch: found ${describe(batch)}; an array of calls is needed.`);
  const { maxBatchCalls } = door.limits;
  if (batch.length > maxBatchCalls) {
    const detail = `The batch has ${batch.length} calls; ${maxBatchCalls} are allowed.`;
    return [rejectCall(batch, door, { reason: "batch_too_long", detail })];
  }
  const shared = readShared(body, batch.length);
  const sentAt = readable(body.sentAt);
  const maxBytes = door.limits.maxCallBytes;
  return batch.map((value, index) => readOne(value, { door, sentAt, index, maxBytes, shared }));
}

interface Place {
  readonly door: Door;
  /** Of the batch; a call may have its own. */
  readonly sentAt: number | null;
  readonly index: number;
  /** Of the call as compact JSON. */
  readonly maxBytes: number;
  readonly shared?: SharedFields | null;
}

function readOne(value: JsonValue, { door, sentAt, index, maxBytes, shared }: Place): SourceRecord | Rejection {
  const { source, receivedAt } = door;
  const call = isJsonObject(value) ? value : null;
  if (call?.writeKey !== undefined) delete call.writeKey;
  const outcome = readCall(value, {
    source,
    receivedAt,
    sentAt: sentAt ?? readable(call?.sentAt),
    position: `${receivedAt}/${index}`,
    maxBytes,
  });
  if (isRejection(outcome)) return outcome;
  if (shared) mergeShared(outcome.payload, shared);
  addEdgeFields(outcome, door.received);
  return outcome;
}

/** After reading, so that ids and times come from what the client sent. */
function addEdgeFields({ payload, id, occurredAt, statedAt }: SourceRecord, received: string): void {
  payload.messageId = id;
  if (isAbsent(payload.originalTimestamp) && statedAt !== null) payload.originalTimestamp = payload.timestamp ?? null;
  if (occurredAt !== statedAt || isAbsent(payload.timestamp)) payload.timestamp = isoTime(occurredAt);
  if (isAbsent(payload.receivedAt)) payload.receivedAt = received;
}

/** A time of sending that cannot be read corrects nothing. */
function readable(sentAt: JsonValue | undefined): number | null {
  const time = parseTime(sentAt);
  return Number.isNaN(time) ? null : time;
}

function checkSize({ body, path }: PushRequest, maxBytes: number): void {
  if (body.byteLength <= maxBytes) return;
  throw new PrickleError(
    "INPUT_TOO_LARGE",
    `/v1/${path}: the body has ${body.byteLength} bytes; ${maxBytes} are allowed.`,
    { hint: "Send smaller batches to /v1/batch, or put less into one call." },
  );
}

function unknownPath(): PrickleError {
  const paths = [...ENDPOINTS.keys()].join(", ");
  return new PrickleError("NOT_FOUND", `There is no such path under /v1/; there are ${paths}.`);
}

function invalid(message: string): PrickleError {
  return new PrickleError("INPUT_INVALID", message);
}
