/** The options of an event of protocol v1, which v0 has among its properties. Source: facts on PostHog, 3.3 (2026-11). */

import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { readSwitch } from "../../core/personless.ts";

type Read = (value: JsonValue) => JsonValue | undefined;

/** Each with the property that says the same in v0. */
const OPTIONS: readonly (readonly [option: string, property: string, read: Read])[] = [
  ["cookieless_mode", "$cookieless_mode", readSwitch],
  ["disable_skew_correction", "$ignore_sent_at", readSwitch],
  ["product_tour_id", "$product_tour_id", readText],
  ["process_person_profile", "$process_person_profile", readSwitch],
];

/** The properties they stand for; null: one of them is of no use, or these are no options at all. */
export function readOptions(options: unknown): JsonObject | null {
  if (options === undefined || options === null) return {};
  if (!isJsonObject(options)) return null;
  const properties: JsonObject = {};
  for (const [option, property, read] of OPTIONS) {
    const stated = options[option] ?? null;
    if (stated === null) continue;
    const value = read(stated);
    if (value === undefined) return null;
    properties[property] = value;
  }
  return properties;
}

function readText(value: JsonValue): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" && Number.isSafeInteger(value) ? String(value) : undefined;
}
