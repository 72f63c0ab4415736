/** Protocol v1 of PostHog's capture: the whole request is refused, or each event gets a result (facts on PostHog, 3, 2026-11). */

import type { IncomingHttpHeaders } from "node:http";
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from "node:zlib";
import { isTokenShaped, MAX_EVENT_BYTES, Refusal, UUID } from "./posthog-refusal.ts";
import { notFarAhead } from "./posthog-rules.ts";
import { type AcceptedEvent, type Bag, isBag, isPersonlessId } from "./posthog-store.ts";
import { appended, readOptions } from "./posthog-v1-options.ts";

export interface V1Result {
  readonly result: string;
  readonly details?: string;
}

export interface V1Received {
  readonly text: string;
  readonly uuids: readonly string[];
  /** By uuid, in the order of the batch; `event` is there for what may be stored. */
  readonly judged: ReadonlyMap<string, Judged>;
}

export interface Judged {
  readonly result: V1Result;
  readonly event?: AcceptedEvent;
}

/** `message` is the error's tag. */
export class V1Refusal extends Refusal {}

const MAX_WIRE_BYTES = 10_485_760;
const MAX_BYTES = 52_428_800;
const MAX_NAME_BYTES = 200;
const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const ENCODINGS = ["gzip", "deflate", "br", "zstd"];
const REQUIRED = [
  "content-type",
  "user-agent",
  "posthog-sdk-info",
  "posthog-attempt",
  "posthog-request-id",
  "posthog-request-timestamp",
];

/** `now`: in ms UTC. @throws V1Refusal */
export function receiveV1(headers: IncomingHttpHeaders, wire: Buffer, now: number): V1Received {
  checkHeaders(headers);
  if (wire.length > MAX_WIRE_BYTES) throw new V1Refusal(413, "payload_too_large");
  if (wire.length === 0) throw new V1Refusal(400, "empty_body");
  const text = unpack(wire, headers["content-encoding"]?.toLowerCase());
  const { created_at, historical_migration: isHistory = false, batch } = parse(text);
  if (!isRfc3339(created_at)) throw new V1Refusal(400, "invalid_batch");
  if (batch.length === 0) throw new V1Refusal(400, "empty_batch");
  const judged = new Map<string, Judged>();
  for (const raw of batch) {
    const uuid = uuidOf(raw);
    if (judged.has(uuid)) throw new V1Refusal(400, "duplicate_event_uuid");
    judged.set(uuid, judge(raw, uuid, { headers, now, isHistory }));
  }
  return { text, uuids: [...judged.keys()], judged };
}

/** Authorization first, then all that is missing, then each value. */
function checkHeaders(headers: IncomingHttpHeaders): void {
  const { authorization } = headers;
  if (authorization === undefined) throw new V1Refusal(401, "missing_authorization");
  if (REQUIRED.some((name) => !headers[name])) throw new V1Refusal(400, "missing_required_headers");
  const token = /^bearer\s+(.*)$/i.exec(authorization)?.[1]?.trim();
  if (token === undefined) throw new V1Refusal(400, "invalid_header_value");
  if (!isTokenShaped(token)) throw new V1Refusal(401, "invalid_api_token");
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new V1Refusal(415, "unsupported_content_type");
  const encoding = headers["content-encoding"]?.toLowerCase();
  if (encoding !== undefined && !ENCODINGS.includes(encoding)) throw new V1Refusal(415, "unsupported_encoding");
  const attempt = String(headers["posthog-attempt"]);
  const isWrong =
    !/^[1-9]\d*$/.test(attempt) ||
    !UUID.test(String(headers["posthog-request-id"])) ||
    !isRfc3339(String(headers["posthog-request-timestamp"]));
  if (isWrong) throw new V1Refusal(400, "invalid_header_value");
}

function unpack(wire: Buffer, encoding: string | undefined): string {
  const options = { maxOutputLength: MAX_BYTES };
  try {
    switch (encoding) {
      case "gzip":
        return gunzipSync(wire, options).toString();
      case "deflate":
        return (wire[0] === 0x78 ? inflateSync(wire, options) : inflateRawSync(wire, options)).toString();
      case "br":
        return brotliDecompressSync(wire, options).toString();
      case "zstd":
        return zstdDecompressSync(wire, options).toString();
      default:
        return wire.toString();
    }
  } catch (thrown) {
    const isTooLarge = thrown instanceof RangeError;
    throw new V1Refusal(isTooLarge ? 413 : 400, isTooLarge ? "payload_too_large" : "request_decoding_error");
  }
}

/** Date takes the 30th of February for the 2nd of March. */
function isRfc3339(text: string): boolean {
  const day = RFC_3339.exec(text)?.[1];
  return day !== undefined && Number.isFinite(Date.parse(text)) && new Date(day).toISOString().startsWith(day);
}

interface Batch {
  readonly created_at: string;
  readonly historical_migration?: boolean;
  readonly batch: readonly Bag[];
}

/** A required key that is absent, or of another type, fails the whole body, wherever it is. */
function parse(text: string): Batch {
  try {
    const body: unknown = JSON.parse(text);
    if (isBatch(body)) return body;
  } catch {
    // Answered below.
  }
  throw new V1Refusal(400, "request_parsing_error");
}

function isBatch(body: unknown): body is Batch {
  if (!isBag(body) || typeof body.created_at !== "string") return false;
  const { historical_migration: isHistory = false, batch } = body;
  return typeof isHistory === "boolean" && Array.isArray(batch) && batch.every(isEvent);
}

function isEvent(raw: unknown): raw is Bag {
  if (!isBag(raw)) return false;
  return (
    ["event", "uuid", "distinct_id", "timestamp"].every((key) => typeof raw[key] === "string") &&
    ["session_id", "window_id"].every((key) => typeof (raw[key] ?? "") === "string")
  );
}

/** As results have it. */
function uuidOf({ uuid: sent }: Bag): string {
  const uuid = String(sent).trim().toLowerCase();
  if (uuid === "") throw new V1Refusal(400, "missing_event_uuid");
  if (!UUID.test(uuid)) throw new V1Refusal(400, "invalid_event_uuid");
  return uuid;
}

interface Frame {
  readonly headers: IncomingHttpHeaders;
  readonly now: number;
  readonly isHistory: boolean;
}

function judge(raw: Bag, uuid: string, frame: Frame): Judged {
  const { event, timestamp, properties = {}, options = {} } = raw;
  const name = String(event);
  const distinctId = String(raw.distinct_id).trim();
  const drop = (details: string) => ({ result: { result: "drop", details } });
  if (name === "$performance_event") return drop("dropped_performance_event");
  if (name === "") return drop("missing_event_name");
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return drop("event_name_too_long");
  if (distinctId === "") return drop("missing_distinct_id");
  if (Buffer.byteLength(distinctId) > MAX_NAME_BYTES) return drop("distinct_id_too_large");
  if (!isRfc3339(String(timestamp))) return drop("invalid_event_timestamp");
  if (!isBag(properties)) return drop("malformed_event_properties");
  const read = isBag(options) ? readOptions(options) : null;
  if (read === null) return drop("invalid_options");
  if (Buffer.byteLength(JSON.stringify(raw)) > MAX_EVENT_BYTES) return drop("event_too_big");
  const stored: AcceptedEvent = {
    uuid,
    event: name,
    distinctId,
    timestamp: timeOf(String(timestamp), read, frame),
    properties: { ...properties, ...appended(raw, read, frame.headers) },
    isPersonless: read.process_person_profile === false,
    isHistory: frame.isHistory,
  };
  const isReserved = isPersonlessId(distinctId);
  return { result: { result: "ok", ...(isReserved ? { details: PERSONLESS } : {}) }, event: stored };
}

export const PERSONLESS = "person_processing_disabled";

/** A time that is not to be corrected is stored as it is, far ahead or not. */
function timeOf(stated: string, { disable_skew_correction }: Bag, { headers, now }: Frame): string {
  const at = Date.parse(stated);
  if (disable_skew_correction === true) return new Date(at).toISOString();
  const adjusted = at - (Date.parse(String(headers["posthog-request-timestamp"])) - now);
  return new Date(notFarAhead(adjusted, now)).toISOString();
}
