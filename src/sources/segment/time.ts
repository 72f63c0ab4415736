/** Times as Segment's clients write them: ISO 8601. */

import type { JsonValue } from "../../core/json.ts";

const ISO_TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)\s?(Z|z|[+-]\d\d(?::?\d\d)?)?)?$/;

/**
 * Milliseconds UTC; null when there is none (missing, null or empty); NaN when it is not an ISO 8601 time.
 * A time without a zone is UTC, as Segment has it: Date.parse alone would take it as local time.
 */
export function parseTime(value: JsonValue | undefined): number | null {
  if (value === undefined || value === null || value === "") return null;
  if (typeof value !== "string") return Number.NaN;
  // The form JSON.stringify(date) gives, by far the most frequent.
  if (value.length === 24 && value.charCodeAt(10) === LETTER_T && value.charCodeAt(23) === LETTER_Z) {
    return Date.parse(value);
  }
  const parts = ISO_TIME.exec(value);
  if (!parts) return Number.NaN;
  const [, date, time = "00:00", zone = "Z"] = parts;
  return Date.parse(`${date}T${time.replace(",", ".")}${isoZone(zone)}`);
}

function isoZone(zone: string): string {
  if (zone === "z") return "Z";
  if (zone.length === 3) return `${zone}:00`;
  return zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
}

const LETTER_T = 84;
const LETTER_Z = 90;
