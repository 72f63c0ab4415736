/** How deep and how large a parsed JSON value is, so that nothing that comes in can overflow a stack later. */

import type { JsonValue } from "../../core/json.ts";

/** Deeper values are refused: JSON.parse takes any depth, JSON.stringify and every walk over the value do not. */
export const MAX_NESTING = 100;

/** An escaped character is `\u00xx`; a UTF-8 one at most 3 bytes for each UTF-16 unit. */
const MAX_BYTES_PER_CHARACTER = 6;
const MAX_BYTES_OF_SCALAR = 25;
const MARKS_PER_KEY = 4;

/** At least as many bytes as `value` has as JSON; Infinity when it nests deeper than `levels`. Recursion ends there too. */
export function weigh(value: JsonValue, levels = MAX_NESTING): number {
  if (typeof value === "string") return value.length * MAX_BYTES_PER_CHARACTER + 2;
  if (typeof value !== "object" || value === null) return MAX_BYTES_OF_SCALAR;
  if (levels === 0) return Number.POSITIVE_INFINITY;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) bytes += 1 + weigh(value[at] ?? null, levels - 1);
    return bytes;
  }
  for (const key in value) {
    bytes += key.length * MAX_BYTES_PER_CHARACTER + MARKS_PER_KEY + weigh(value[key] ?? null, levels - 1);
  }
  return bytes;
}

/** `value` with everything deeper than `levels` replaced by a note: safe to keep with a rejection. */
export function prune(value: JsonValue, levels = MAX_NESTING): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (levels === 0) return "[nested deeper than prickle keeps]";
  if (Array.isArray(value)) return value.map((item) => prune(item, levels - 1));
  // fromEntries defines keys: a key "__proto__" stays a key.
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, prune(item, levels - 1)]));
}
