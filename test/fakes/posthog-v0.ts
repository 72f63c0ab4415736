/** Protocol v0 of PostHog's capture: a batch is taken or refused as a whole (facts on PostHog, 2, 2026-11). */

import { randomUUID } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { isTokenShaped, MAX_EVENT_BYTES, Refusal, UUID } from "./posthog-refusal.ts";
import { type AcceptedEvent, type Bag, isBag } from "./posthog-store.ts";

const MAX_WIRE_BYTES = 20 * 1024 * 1024;
const MAX_BYTES = 5 * MAX_WIRE_BYTES;

export interface ReceivedBatch {
  readonly text: string;
  readonly events: readonly AcceptedEvent[];
}

/** @throws Refusal */
export function receiveV0(wire: Buffer): ReceivedBatch {
  if (wire.length > MAX_WIRE_BYTES) throw new Refusal(413, "payload too large");
  const text = inflate(wire);
  const body = parse(text);
  checkToken(body);
  if (!Array.isArray(body.batch) || body.batch.length === 0) throw new Refusal(400, "empty batch");
  const sentAt = typeof body.sent_at === "string" ? Date.parse(body.sent_at) : null;
  return { text, events: body.batch.map((raw: unknown) => readEvent(raw, sentAt)) };
}

/** By its magic bytes, whatever the headers say. */
function inflate(wire: Buffer): string {
  if (!(wire[0] === 0x1f && wire[1] === 0x8b)) return wire.toString("utf8");
  try {
    return gunzipSync(wire, { maxOutputLength: MAX_BYTES }).toString("utf8");
  } catch {
    throw new Refusal(400, "failed to decode request");
  }
}

function parse(text: string): Bag {
  try {
    const body: unknown = JSON.parse(text);
    if (isBag(body)) return body;
  } catch {
    // Answered below.
  }
  throw new Refusal(400, "failed to parse request");
}

function checkToken({ api_key: apiKey, token = apiKey }: Bag): void {
  if (typeof token !== "string" || token.trim() === "") throw new Refusal(401, "no api key");
  if (!isTokenShaped(token.trim())) throw new Refusal(401, "invalid api key");
}

function readEvent(raw: unknown, sentAt: number | null): AcceptedEvent {
  if (!isBag(raw)) throw new Refusal(400, "an event is not an object");
  const properties: Bag = { ...(isBag(raw.properties) ? raw.properties : {}) };
  const id = raw.distinct_id ?? properties.distinct_id;
  if (typeof raw.event !== "string" || raw.event === "")
    throw new Refusal(400, "event submitted without an event name");
  if (id === undefined || id === null || id === "") throw new Refusal(400, "event submitted without a distinct_id");
  if (raw.uuid && !(typeof raw.uuid === "string" && UUID.test(raw.uuid))) throw new Refusal(400, "invalid uuid");
  if (Buffer.byteLength(JSON.stringify(raw)) > MAX_EVENT_BYTES) throw new Refusal(413, "event too big");
  for (const name of ["$set", "$set_once"]) if (raw[name] !== undefined) properties[name] ??= raw[name];
  const uuid = typeof raw.uuid === "string" && raw.uuid !== "" ? raw.uuid : randomUUID();
  const distinctId = (typeof id === "string" ? id : JSON.stringify(id)).slice(0, 200);
  const isPersonless = properties.$process_person_profile === false;
  const timestamp = timeOf(raw, properties, sentAt);
  return { uuid, event: raw.event, distinctId, timestamp, properties, isPersonless };
}

function timeOf({ timestamp }: Bag, { $ignore_sent_at: ignore }: Bag, sentAt: number | null): string {
  const stated = typeof timestamp === "string" ? Date.parse(timestamp) : Date.now();
  if (Number.isNaN(stated)) throw new Refusal(400, "invalid timestamp");
  const skew = sentAt === null || ignore === true ? 0 : Date.now() - sentAt;
  return new Date(stated + skew).toISOString();
}
