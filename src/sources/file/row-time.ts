/** Times in rows: ISO 8601, with a space for the T too, or milliseconds or seconds since 1970. */

import { DateTime } from "luxon";
import type { JsonValue } from "../../core/json.ts";

/** Below it a number is of seconds: in milliseconds it would be in 1973. */
const LEAST_MS = 1e11;
/** Above it a number of seconds would be in 1973: less is a year, or a count. */
const LEAST_SECONDS = 1e8;
const MOST_KEPT = 20_000;

export interface RowTimes {
  /** In ms UTC; null for an empty cell, NaN for what is no time. */
  read(value: JsonValue | undefined): number | null;
  /** A date with a time of day that names no zone, as ISO 8601 in UTC; anything else as it is. */
  zoned(value: JsonValue): JsonValue;
}

/** `zone`: of what names none. */
export function createRowTimes(zone: string): RowTimes {
  const known = new Map<string, number>();
  const parse = (text: string) => {
    const ms = DateTime.fromISO(text.replace(/^(\d{4}-\d\d-\d\d) /, "$1T").replace(/ ?(?:UTC|GMT)$/, "Z"), { zone });
    return ms.isValid ? ms.toMillis() : Number.NaN;
  };
  const parseOnce = (text: string) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const ms = parse(text);
    if (known.size >= MOST_KEPT) known.clear();
    known.set(text, ms);
    return ms;
  };
  return {
    read(value) {
      if (value === null || value === undefined || value === "") return null;
      if (typeof value === "number") return ofNumber(value);
      if (typeof value !== "string") return Number.NaN;
      const text = value.trim();
      return /^\d+(?:\.\d+)?$/.test(text) ? ofNumber(Number(text)) : parseOnce(text);
    },
    zoned(value) {
      if (typeof value !== "string" || value[4] !== "-" || !ZONELESS.test(value)) return value;
      const ms = parseOnce(value);
      return Number.isNaN(ms) ? value : new Date(ms).toISOString();
    },
  };
}

const ZONELESS = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?$/;

function ofNumber(number: number): number {
  if (number >= LEAST_MS) return Math.trunc(number);
  return number >= LEAST_SECONDS ? Math.trunc(number * 1000) : Number.NaN;
}
