/** What PostHog allows of groups and distinct ids. Source: facts on PostHog, 5.4, 6.1–6.5 (2026-11). */

import { hash } from "node:crypto";
import { spreadHash } from "./identity.ts";

export const MAX_GROUP_TYPES = 5;
export const MAX_GROUP_KEY_CHARACTERS = 400;
export const MAX_ID_BYTES = 200;

/** Accepted by PostHog, but with person processing off, so that nothing happens to groups. Compared trimmed, in lower case. */
const RESERVED_DISTINCT_IDS: ReadonlySet<string> = new Set([
  "0",
  "00000000-0000-0000-0000-000000000000",
  "[object object]",
  "anonymous",
  "anonymous-user",
  "backend",
  "distinct_id",
  "distinctid",
  "email",
  "false",
  "guest",
  "id",
  "nan",
  "none",
  "not_authenticated",
  "null",
  "system",
  "true",
  "undefined",
  "user",
]);

/** PostHog looks types up with `in` on a plain object, so these names are unsafe there. */
const UNSAFE_GROUP_TYPES: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/** Group identifies are spread over this many distinct ids: ordered per group, few persons, no hot key. */
const GROUP_SYNC_IDS = 32;

/** The reason a group type cannot be used, or null. */
export function groupTypeProblem(groupType: string): string | null {
  if (groupType === "" || groupType.length > MAX_GROUP_KEY_CHARACTERS)
    return `1–${MAX_GROUP_KEY_CHARACTERS} characters are allowed`;
  if (UNSAFE_GROUP_TYPES.has(groupType)) return "the name is unsafe in PostHog";
  return null;
}

/** The reason a group key cannot be used, or null. */
export function groupKeyProblem(groupKey: string): string | null {
  if (groupKey === "") return "the key is empty";
  if (groupKey.length > MAX_GROUP_KEY_CHARACTERS) {
    return `the key has ${groupKey.length} characters; ${MAX_GROUP_KEY_CHARACTERS} are allowed`;
  }
  return null;
}

/** The reason a distinct id cannot be used, or null. */
export function distinctIdProblem(distinctId: string): string | null {
  const trimmed = distinctId.trim();
  if (trimmed === "") return "the distinct id is empty";
  if (trimmed.length <= LONGEST_RESERVED && RESERVED_DISTINCT_IDS.has(trimmed.toLowerCase())) {
    return `"${trimmed}" is a reserved distinct id: PostHog would take the event but do nothing to its groups`;
  }
  return null;
}

/**
 * False when no text with these first and last bytes (UTF-8) is a reserved distinct id: for a quick look at many.
 */
export function mayBeReserved(first: number, last: number): boolean {
  return first <= SPACE || last <= SPACE || first >= NOT_ASCII || last >= NOT_ASCII || EDGES.has(edges(first, last));
}

const SPACE = 0x20;
const NOT_ASCII = 0x80;
const LOWER_CASE = 0x20;
const edges = (first: number, last: number) => ((first | LOWER_CASE) << 8) | last | LOWER_CASE;
const EDGES = new Set([...RESERVED_DISTINCT_IDS].map((id) => edges(id.charCodeAt(0), id.charCodeAt(id.length - 1))));

const LONGEST_RESERVED = Math.max(...[...RESERVED_DISTINCT_IDS].map((id) => id.length));

/**
 * A distinct id that PostHog keeps whole: itself up to 200 bytes, else its hash. Cutting, as PostHog would,
 * can merge two persons.
 */
export function fittingDistinctId(distinctId: string): string {
  if (distinctId.length * 3 <= MAX_ID_BYTES || Buffer.byteLength(distinctId) <= MAX_ID_BYTES) return distinctId;
  return `sha256:${hash("sha256", distinctId, "hex")}`;
}

/** The distinct id that carries the identifies of a group. */
export function groupSyncDistinctId(groupType: string, groupKey: string): string {
  const slot = spreadHash(`${groupType}\0${groupKey}`) % GROUP_SYNC_IDS;
  return `$groups_sync_${slot.toString().padStart(2, "0")}`;
}
