/** Reading and writing keys that come from outside, so that no prototype is ever reached or replaced. */

import type { JsonObject, JsonValue } from "../json.ts";

/** The value under the object's or list's own key; of a string only its length and characters. */
export function ownValue(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (typeof value === "string") return ownOfText(value, key);
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as JsonObject)[key];
}

/** Writes the object's own key, also one that plain assignment would take for the prototype. `undefined` only where missing.ts has it. */
export function setOwn(target: JsonObject, key: string, value: JsonValue | undefined): void {
  if (key !== "__proto__") target[key] = value as JsonValue;
  else Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Writes every own key of the source, as `setOwn` does. */
export function setAllOwn(target: JsonObject, source: JsonObject): void {
  if (Object.hasOwn(source, "__proto__")) for (const key of Object.keys(source)) setOwn(target, key, source[key]);
  else Object.assign(target, source);
}

function ownOfText(text: string, key: string): JsonValue | undefined {
  if (key === "length") return text.length;
  return /^(?:0|[1-9]\d*)$/.test(key) ? text[Number(key)] : undefined;
}
