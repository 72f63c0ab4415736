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
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const REQUIRED = [
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
  const body = parse(text);
  if (typeof body.created_at !== "string" || !RFC_3339.test(body.created_at)) throw new V1Refusal(400, "invalid_batch");
  if (!Array.isArray(body.batch)) throw new V1Refusal(400, "request_parsing_error");
  if (body.batch.length === 0) throw new V1Refusal(400, "empty_batch");
  const judged = new Map<string, { result: V1Result; event?: AcceptedEvent }>();
  for (const raw of body.batch) {
    const uuid = uuidOf(raw);
    if (judged.has(uuid)) throw new V1Refusal(400, "duplicate_event_uuid");
    judged.set(uuid, judge(raw, uuid, headers));
  }
  return { text, uuids: [...judged.keys()], judged };
}

function checkHeaders(headers: IncomingHttpHeaders): void {
  const { authorization } = headers;
  if (authorization === undefined) throw new V1Refusal(401, "missing_authorization");
  const token = /^bearer\s+(.*)$/i.exec(authorization)?.[1]?.trim();
  if (token === undefined) throw new V1Refusal(400, "invalid_header_value");
  if (!isTokenShaped(token)) throw new V1Refusal(401, "invalid_api_token");
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new V1Refusal(415, "unsupported_content_type");
  if (REQUIRED.some((name) => !headers[name])) throw new V1Refusal(400, "missing_required_headers");
  const attempt = String(headers["posthog-attempt"]);
  const isWrong =
    !/^[1-9]\d*$/.test(attempt) ||
    !UUID.test(String(headers["posthog-request-id"])) ||
    !RFC_3339.test(String(headers["posthog-request-timestamp"]));
  if (isWrong) throw new V1Refusal(400, "invalid_header_value");
}

function unpack(wire: Buffer, encoding: string | undefined): string {
  const options = { maxOutputLength: MAX_BYTES };
  try {
    switch (encoding) {
      case undefined:
        return wire.toString();
      case "gzip":
        return gunzipSync(wire, options).toString();
      case "deflate":
        return (wire[0] === 0x78 ? inflateSync(wire, options) : inflateRawSync(wire, options)).toString();
      case "br":
        return brotliDecompressSync(wire, options).toString();
      case "zstd":
        return zstdDecompressSync(wire, options).toString();
    }
  } catch (thrown) {
    const isTooLarge = thrown instanceof RangeError;
    throw new V1Refusal(isTooLarge ? 413 : 400, isTooLarge ? "payload_too_large" : "request_decoding_error");
  }
  throw new V1Refusal(415, "unsupported_encoding");
}

function parse(text: string): Bag {
  try {
    const body: unknown = JSON.parse(text);
    if (isBag(body)) return body;
  } catch {
    // Answered below.
  }
  throw new V1Refusal(400, "request_parsing_error");
}

/** A required key that is absent, or of another type, fails the whole body. */
function uuidOf(raw: unknown): string {
  const isWhole =
    isBag(raw) && ["event", "uuid", "distinct_id", "timestamp"].every((key) => typeof raw[key] === "string");
  if (!isWhole) throw new V1Refusal(400, "request_parsing_error");
  const uuid = String(raw.uuid).trim();
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
  if (!RFC_3339.test(String(timestamp))) return drop("invalid_event_timestamp");
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
