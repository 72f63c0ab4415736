/** Protocol v0 of PostHog's capture: a batch is taken or refused as a whole (facts on PostHog, 2, 2026-11). */

import { randomUUID } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { isTokenShaped, MAX_EVENT_BYTES, Refusal, UUID } from "./posthog-refusal.ts";
import { notFarAhead } from "./posthog-rules.ts";
import { type AcceptedEvent, type Bag, isBag } from "./posthog-store.ts";

const MAX_WIRE_BYTES = 20 * 1024 * 1024;
/** As much again is read and thrown away; what has more is reset. */
export const MOST_READ_BYTES = 2 * MAX_WIRE_BYTES;
const MAX_BYTES = 5 * MAX_WIRE_BYTES;

export interface ReceivedBatch {
  readonly text: string;
  readonly events: readonly AcceptedEvent[];
}

/** `now`: in ms UTC. @throws Refusal */
export function receiveV0(wire: Buffer, now: number): ReceivedBatch {
  if (wire.length > MAX_WIRE_BYTES) throw new Refusal(413, "payload too large");
  const text = inflate(wire);
  const body = parse(text);
  checkToken(body);
  if (!Array.isArray(body.batch) || body.batch.length === 0) throw new Refusal(400, "empty batch");
  const sentAt = typeof body.sent_at === "string" ? Date.parse(body.sent_at) : null;
  const frame = { sentAt, now, isHistory: body.historical_migration === true };
  return { text, events: body.batch.map((raw: unknown) => readEvent(raw, frame)) };
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

interface Frame {
  readonly sentAt: number | null;
  readonly now: number;
  readonly isHistory: boolean;
}

function readEvent(raw: unknown, frame: Frame): AcceptedEvent {
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
  const timestamp = timeOf(raw, properties, frame);
  return { uuid, event: raw.event, distinctId, timestamp, properties, isPersonless, isHistory: frame.isHistory };
}

/** What cannot be read as a time happens now. */
function timeOf({ timestamp }: Bag, { $ignore_sent_at: ignore }: Bag, { sentAt, now }: Frame): string {
  const stated = typeof timestamp === "string" ? Date.parse(timestamp) : Number.NaN;
  if (Number.isNaN(stated)) return new Date(now).toISOString();
  const skew = sentAt === null || ignore === true ? 0 : now - sentAt;
  return new Date(notFarAhead(stated + skew, now)).toISOString();
}
