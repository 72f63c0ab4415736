/** Ids that are the same on every machine and every retry. */

import { murmur128 } from "./murmur.ts";
import type { SourceRecord } from "./record.ts";
import type { Uuid } from "./uuid.ts";

/**
 * The id by which a record is known again: a UUID that rests only on what the sender states, so that a retry, which
 * may carry another time of sending, has the same one. Ordered by time, which keeps a unique index cheap.
 */
export function recordUuid({ source, id, statedAt }: SourceRecord): Uuid {
  return deterministicUuid(source, id, 0, statedAt ?? 0);
}

/** The uuid of output `index` of a record. */
export function messageUuid(
  { source, id, statedAt, occurredAt }: Omit<SourceRecord, "receivedAt" | "payload">,
  index: number,
): Uuid {
  return deterministicUuid(source, id, index, statedAt ?? occurredAt);
}

/**
 * The UUID of output `index` of a record: a version 7 UUID whose time is `atMs` (clamped at 1970) and whose other 74 bits
 * are of the hash of (source, record id, index). Whoever can send can also make two of his own records collide, but
 * no more than by giving them one id.
 *
 * Why v7: PostHog warns about other versions and searches by the time inside (`event_uuid_not_v7`).
 */
export function deterministicUuid(source: string, recordId: string, index: number, atMs: number): Uuid {
  const [a, b, c] = murmur128(`${source}\0${recordId}\0${index}`);
  const time = Math.min(Math.max(0, Math.trunc(atMs)), MAX_TIME_MS);
  const high = Math.floor(time / 0x10000) | 0;
  return [high, ((time % 0x10000) << 16) | VERSION | (a & 0xfff), VARIANT | (b & 0x3fffffff), c];
}

const MAX_TIME_MS = 2 ** 48 - 1;
const VERSION = 0x7000;
const VARIANT = 0x80000000 | 0;

const FNV_BASIS = 0x811c9dc5;

/**
 * 32-bit FNV-1a over the UTF-16 units of `text`: cheap, stable, for spreading keys and never for security. `before` is the
 * hash of what stands before the text.
 */
export function spreadHash(text: string, before = FNV_BASIS): number {
  let value = before;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  return value >>> 0;
}

const GROUP_HASH = spreadHash("g\0");
const PERSON_HASH = spreadHash("d\0");

/** What is said of one group leaves in the order in which it was committed. */
export function groupHash(groupType: string, groupKey: string): number {
  return spreadHash(groupKey, spreadHash("\0", spreadHash(groupType, GROUP_HASH)));
}

/** So do the events of one person. */
export function personHash(distinctId: string): number {
  return spreadHash(distinctId, PERSON_HASH);
}

export function groupLane(groupType: string, groupKey: string, lanes: number): number {
  return groupHash(groupType, groupKey) % lanes;
}
