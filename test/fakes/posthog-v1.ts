/** Protocol v1 of PostHog's capture: the whole request is refused, or each event gets a result (facts on PostHog, 3, 2026-11). */

import type { IncomingHttpHeaders } from "node:http";
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from "node:zlib";
import { isTokenShaped, MAX_EVENT_BYTES, Refusal, UUID } from "./posthog-refusal.ts";
import { type AcceptedEvent, type Bag, isBag, isPersonlessId } from "./posthog-store.ts";

export interface V1Result {
  readonly result: string;
  readonly details?: string;
}

export interface V1Received {
  readonly text: string;
  readonly uuids: readonly string[];
  /** By uuid, in the order of the batch; `event` is there for what may be stored. */
  readonly judged: ReadonlyMap<string, { readonly result: V1Result; readonly event?: AcceptedEvent }>;
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

/** @throws V1Refusal */
export function receiveV1(headers: IncomingHttpHeaders, wire: Buffer): V1Received {
  checkHeaders(headers);
  if (wire.length > MAX_WIRE_BYTES) throw new V1Refusal(413, "payload_too_large");
  if (wire.length === 0) throw new V1Refusal(400, "empty_body");
  const text = unpack(wire, headers["content-encoding"]?.toLowerCase());
  const { created_at, batch } = parse(text);
  if (!isRfc3339(created_at)) throw new V1Refusal(400, "invalid_batch");
  if (batch.length === 0) throw new V1Refusal(400, "empty_batch");
  const judged = new Map<string, { result: V1Result; event?: AcceptedEvent }>();
  for (const raw of batch) {
    const uuid = uuidOf(raw);
    if (judged.has(uuid)) throw new V1Refusal(400, "duplicate_event_uuid");
    judged.set(uuid, judge(raw, uuid, headers));
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

function judge(raw: Bag, uuid: string, headers: IncomingHttpHeaders) {
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
    timestamp: timeOf(String(timestamp), read, headers),
    properties: { ...properties, ...appended(raw, read, headers) },
    isPersonless: read.process_person_profile === false,
  };
  const isReserved = isPersonlessId(distinctId);
  return { result: { result: "ok", ...(isReserved ? { details: PERSONLESS } : {}) }, event: stored };
}

const PERSONLESS = "person_processing_disabled";

function timeOf(stated: string, { disable_skew_correction }: Bag, headers: IncomingHttpHeaders): string {
  const at = Date.parse(stated);
  if (disable_skew_correction === true) return new Date(at).toISOString();
  return new Date(at - (Date.parse(String(headers["posthog-request-timestamp"])) - Date.now())).toISOString();
}

/** What the server writes into the properties. */
function appended(raw: Bag, options: Bag, headers: IncomingHttpHeaders): Bag {
  const info = String(headers["posthog-sdk-info"]);
  const cut = info.lastIndexOf("/");
  const isNamed = cut > 0 && info.length <= 200;
  return {
    ...(typeof raw.session_id === "string" ? { $session_id: raw.session_id } : {}),
    ...(typeof raw.window_id === "string" ? { $window_id: raw.window_id } : {}),
    ...(options.cookieless_mode === undefined ? {} : { $cookieless_mode: options.cookieless_mode }),
    ...(options.disable_skew_correction === undefined ? {} : { $ignore_sent_at: options.disable_skew_correction }),
    ...(options.product_tour_id === undefined ? {} : { $product_tour_id: options.product_tour_id }),
    ...(options.process_person_profile === undefined
      ? {}
      : { $process_person_profile: options.process_person_profile }),
    ...(isNamed ? { $lib: info.slice(0, cut).trim(), $lib_version: info.slice(cut + 1).trim() } : {}),
  };
}

/** Null: one of them cannot be read. */
function readOptions(options: Bag): Bag | null {
  const read: Bag = {};
  for (const name of ["cookieless_mode", "disable_skew_correction", "process_person_profile"]) {
    if (options[name] === undefined || options[name] === null) continue;
    const value = readBoolean(options[name]);
    if (value === null) return null;
    read[name] = value;
  }
  const { product_tour_id: tour } = options;
  if (tour === undefined || tour === null) return read;
  if (typeof tour !== "string" && !Number.isInteger(tour)) return null;
  return { ...read, product_tour_id: String(tour) };
}

function readBoolean(value: unknown): boolean | null {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value !== 0;
  const text = typeof value === "string" ? value.trim().toLowerCase() : "";
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : null;
}
