/** Ids that are the same on every machine and every retry. */

import { hash } from "node:crypto";
import type { SourceRecord } from "./record.ts";

/**
 * The id by which a record is known again: a UUID that rests only on what the sender states, so that a retry, which
 * may carry another time of sending, has the same one. Ordered by time, which keeps a unique index cheap.
 */
export function recordUuid({ source, id, statedAt }: SourceRecord): string {
  return deterministicUuid(source, id, 0, statedAt ?? 0);
}

/** The uuid of output `index` of a record. */
export function messageUuid({ source, id, statedAt, occurredAt }: SourceRecord, index: number): string {
  return deterministicUuid(source, id, index, statedAt ?? occurredAt);
}

/**
 * The UUID of output `index` of a record: a version 7 UUID whose time is `atMs` (clamped at 1970) and whose other
 * 74 bits are the leading bits of SHA-1 over (source, record id, index).
 *
 * Why v7: PostHog warns about other versions and searches by the time inside (`event_uuid_not_v7`).
 */
function deterministicUuid(source: string, recordId: string, index: number, atMs: number): string {
  const digest = hash("sha1", `${source}\0${recordId}\0${index}`, "hex");
  const time = Math.min(Math.max(0, Math.trunc(atMs)), MAX_TIME_MS)
    .toString(16)
    .padStart(12, "0");
  const variant = VARIANT_DIGITS[Number.parseInt(digest.charAt(3), 16) & 3];
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digest.slice(0, 3)}-${variant}${digest.slice(4, 7)}-${digest.slice(7, 19)}`;
}

const MAX_TIME_MS = 2 ** 48 - 1;
const VARIANT_DIGITS = "89ab";

/** 32-bit FNV-1a over the UTF-16 units of `text`: cheap, stable, for spreading keys and never for security. */
export function spreadHash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  return value >>> 0;
}
