/**
 * What the text of a message says, read from its bytes: to parse each on its way out would cost more than all the
 * rest. Rests on the order of its keys (OutgoingMessage); what is laid otherwise is `null` and has to be parsed.
 */

import { MAX_ID_BYTES } from "../../core/group.ts";

export interface MessageText {
  /** UTF-8 of the JSON text. */
  readonly body: Buffer;
  /** The distinct id between its quotes. */
  readonly idFrom: number;
  readonly idTo: number;
  /** Of the distinct id. */
  readonly idHash: number;
  /** Sum of `Trait`s. */
  readonly traits: number;
}

export const UUID_LENGTH = 36;

/** What a text may hold; being said anywhere in it is enough, so that one may be had without its meaning. */
export const GROUP_IDENTIFY = 1;
/** Has what PostHog applies in the order in which it comes: group properties, person properties, who is whom. */
export const ORDERED = 2;
/** Has what protocol v1 wants in another place. */
export const MOVED_IN_V1 = 4;
export const PERSON_PROFILE = 8;
export const PERSON_PROPERTIES = 16;
/** `$ai_…`: PostHog's own clients send these by v0 only. */
export const V0_ONLY = 32;

const TRAITS_OF = new Map<string, number>([
  ["$groupidentify", GROUP_IDENTIFY | ORDERED],
  ["$identify", ORDERED],
  ["$create_alias", ORDERED],
  ["$merge_dangerously", ORDERED],
  ["$set", ORDERED | PERSON_PROPERTIES],
  ["$set_once", ORDERED | PERSON_PROPERTIES],
  ["$unset", ORDERED],
  ["$process_person_profile", MOVED_IN_V1 | PERSON_PROFILE],
  ["$cookieless_mode", MOVED_IN_V1],
  ["$ignore_sent_at", MOVED_IN_V1],
  ["$product_tour_id", MOVED_IN_V1],
  ["$session_id", MOVED_IN_V1],
  ["$window_id", MOVED_IN_V1],
  ["$lib", MOVED_IN_V1],
  ["$lib_version", MOVED_IN_V1],
]);
const LONGEST = Math.max(...[...TRAITS_OF.keys()].map(({ length }) => length));
/** By the character after the dollar: most texts hold `$groups` only, and are done without a look at the table. */
const BEGINS = new Uint8Array(256);
for (const name of TRAITS_OF.keys()) if (name !== "$groupidentify") BEGINS[name.charCodeAt(1)] = 1;
const AI = Buffer.from("$ai_");

const QUOTE = 0x22;
const DOLLAR = 0x24;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const EVENT_AT = '{"event":"'.length;
const BETWEEN = Buffer.from('","distinct_id":"');
const FNV_PRIME = 0x01000193;
const FNV_BASIS = 0x811c9dc5;

export function readText(bytes: Uint8Array): MessageText | null {
  const body = bufferOf(bytes);
  const eventTo = endOfText(body, EVENT_AT);
  const idFrom = eventTo + BETWEEN.length;
  if (body[idFrom - 1] !== QUOTE || body[eventTo + 3] !== BETWEEN[3]) return null;
  let idHash = FNV_BASIS;
  let idTo = idFrom;
  for (; body[idTo] !== QUOTE; idTo++) {
    const byte = body[idTo];
    if (byte === undefined) return null;
    idHash = Math.imul(idHash ^ byte, FNV_PRIME);
    if (byte === BACKSLASH) idTo += 1;
  }
  if (body[idTo + UUID_AFTER_ID - 2] !== COLON || body[idTo + TIME_AFTER_ID - 2] !== COLON) return null;
  return { body, idFrom, idTo, idHash: idHash >>> 0, traits: traitsOf(body) };
}

/** What orders the messages that are `ORDERED`: the group of a group identify, else the distinct id. */
export function orderingKey({ body, idFrom, idTo, traits }: MessageText): string {
  const setAt = (traits & GROUP_IDENTIFY) !== 0 && body[EVENT_AT] === DOLLAR ? body.indexOf(SET) : -1;
  if (setAt < 0) return body.toString("latin1", idFrom, idTo);
  return body.toString("latin1", Math.max(0, body.indexOf(TYPE)), setAt);
}

const TYPE = '"$group_type":';
const SET = '"$group_set":';

export function distinctIdOf({ body, idFrom, idTo }: MessageText): string {
  return JSON.parse(body.toString("utf8", idFrom - 1, idTo + 1));
}

/** Whether the distinct id may be longer than PostHog keeps. */
export function isLongId({ idFrom, idTo }: MessageText): boolean {
  return idTo - idFrom > MAX_ID_BYTES;
}

export function uuidOf({ body, idTo }: MessageText): string {
  return body.toString("latin1", idTo + UUID_AFTER_ID, idTo + UUID_AFTER_ID + UUID_LENGTH);
}

/** The last 32 bits of the uuid, of those that are random: two that differ are two uuids. */
export function uuidHash({ body, idTo }: MessageText): number {
  const end = idTo + UUID_AFTER_ID + UUID_LENGTH;
  let hash = 0;
  for (let at = end - 8; at < end; at++) hash = (hash << 4) | hexDigit(body[at] ?? 0);
  return hash;
}

/** Whether the uuid stands at `at`. */
export function holdsUuid(bytes: Uint8Array, at: number, { body, idTo }: MessageText): boolean {
  const from = idTo + UUID_AFTER_ID;
  for (let step = 0; step < UUID_LENGTH; step++) if (bytes[at + step] !== body[from + step]) return false;
  return true;
}

/** The time it states, as ISO text. */
export function timestampOf({ body, idTo }: MessageText): string {
  const from = idTo + TIME_AFTER_ID;
  return body.toString("latin1", from, from + "2026-01-01T00:00:00.000Z".length);
}

/** Whether the time it states is after `time`, the bytes of ISO text: texts compare as the times do. */
export function isLaterThan(time: Uint8Array, { body, idTo }: MessageText): boolean {
  const from = idTo + TIME_AFTER_ID;
  let at = 0;
  while (at < time.length && body[from + at] === time[at]) at += 1;
  return at < time.length && (body[from + at] ?? 0) > (time[at] ?? 0);
}

const UUID_AFTER_ID = '","uuid":"'.length;
const TIME_AFTER_ID = UUID_AFTER_ID + UUID_LENGTH + '","timestamp":"'.length;

/** True for an event that names groups. */
export function namesGroups({ body }: MessageText): boolean {
  return body.includes('"$groups":{');
}

function traitsOf(body: Buffer): number {
  let traits = 0;
  for (let at = body.indexOf(DOLLAR); at >= 0; at = body.indexOf(DOLLAR, at + 1)) {
    const next = body[at + 1] ?? 0;
    if (body[at - 1] !== QUOTE || (BEGINS[next] !== 1 && at !== EVENT_AT)) continue;
    traits |= traitAt(body, at);
  }
  return traits;
}

function traitAt(body: Buffer, at: number): number {
  if (at === EVENT_AT && AI.every((byte, index) => body[at + index] === byte)) return V0_ONLY;
  const end = body.indexOf(QUOTE, at);
  if (end - at > LONGEST) return 0;
  return TRAITS_OF.get(body.toString("latin1", at, end)) ?? 0;
}

function endOfText(body: Uint8Array, from: number): number {
  let at = from;
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Of the character of one, in either case. */
function hexDigit(character: number): number {
  return (character & 15) + 9 * (character >>> 6);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
