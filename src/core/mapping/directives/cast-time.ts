/** Dates and times as `@cast` gives them: `2026-02-28`, and `2026-02-28T08:30:00.000Z`, always UTC. */

import { createRequire } from "node:module";
import { lazily } from "../../lazy.ts";
import { complain, describe, inside, type Scope } from "../scope.ts";
import type { Arguments } from "./arguments.ts";
import type { Cast } from "./cast.ts";

const require = createRequire(import.meta.url);
const luxon = lazily((): typeof import("luxon") => require("luxon"));

/**
 * Reads ISO 8601, or texts in `format`; numbers, also written as text, are seconds or, from 100,000,000,000 up,
 * milliseconds since 1970. A time without an offset is read in `zone`, and a date is the day it is there. Default: UTC.
 */
export function compileTimeCast(kind: "date" | "datetime", given: Arguments, scope: Scope): Cast {
  const zone = readZone(given, scope);
  const format = given.has("format") ? readFormat(given, scope) : null;
  const read = format === null ? readerOfIso(zone) : readerOfFormat(format, zone);
  if (kind === "date") return (value) => dayOf(value, format, () => read(value), zone);
  return (value) => {
    const ms = read(value);
    return ms === undefined ? undefined : isoOf(ms);
  };
}

type ReadTime = (value: string | number | boolean) => number | undefined;

const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** With seconds and an offset: what `Date` reads as everybody does. */
const COMMON = /^\d{4}-\d{2}-(\d{2})T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
const NUMERIC = /^-?\d{9,14}$/;
/** A day of a month, a week or a year. Of less luxon would make a whole with what the clock says. */
const WITH_FULL_DATE = /^(?:[+-]\d{6}|\d{4})(?:-\d{2}-\d{2}|\d{4}|-W\d{2}-\d|W\d{3}|-?\d{3})(?:$|T)/i;
const MILLISECONDS_FROM = 100_000_000_000;

function readerOfIso(zone: string): ReadTime {
  return (value) => {
    if (typeof value !== "string") return timeOfNumber(value);
    const text = value.trim();
    const day = COMMON.exec(text)?.[1];
    if (day !== undefined && Number(day) <= 28) return finite(Date.parse(text));
    if (NUMERIC.test(text)) return timeOfNumber(Number(text));
    return WITH_FULL_DATE.test(text) ? finite(luxon().DateTime.fromISO(text, { zone }).toMillis()) : undefined;
  };
}

function readerOfFormat(format: string, zone: string): ReadTime {
  return (value) =>
    typeof value === "string"
      ? finite(luxon().DateTime.fromFormat(value.trim(), format, { zone, locale: "en-US" }).toMillis())
      : timeOfNumber(value);
}

function timeOfNumber(value: number | boolean): number | undefined {
  if (typeof value !== "number") return undefined;
  return finite(Math.abs(value) < MILLISECONDS_FROM ? value * 1000 : value);
}

/** A day written without a time is that day in every zone. */
function dayOf(
  value: string | number | boolean,
  format: string | null,
  read: () => number | undefined,
  zone: string,
): string | undefined {
  const text = typeof value === "string" ? value.trim() : "";
  if (format === null && DAY.test(text))
    return luxon().DateTime.fromISO(text, { zone: "utc" }).isValid ? text : undefined;
  const ms = read();
  if (ms === undefined) return undefined;
  if (zone === "utc") return isoOf(ms)?.slice(0, -"T00:00:00.000Z".length);
  return luxon().DateTime.fromMillis(ms, { zone }).toISODate() ?? undefined;
}

function isoOf(ms: number): string | undefined {
  return Math.abs(ms) <= LAST_MS ? new Date(ms).toISOString() : undefined;
}

const LAST_MS = 8_640_000_000_000_000;

function finite(ms: number): number | undefined {
  return Number.isFinite(ms) ? ms : undefined;
}

function readFormat(given: Arguments, scope: Scope): string {
  const format = given.text("format", "");
  const { tokens } = luxon().DateTime.fromFormatExplain("", format, { locale: "en-US" });
  const letters = tokens.filter(({ literal }) => !literal).map(({ val }) => val.charAt(0));
  const isFull = FULL_DATES.some((parts) => parts.every((part) => letters.some((letter) => part.includes(letter))));
  if (!isFull)
    complain(
      inside(scope, "format"),
      `found ${describe(format)}; a year, a month and a day are needed in it, as in "dd.MM.yyyy"`,
    );
  return format;
}

/** First letters of luxon's tokens: year, month and day; year and day of the year; year, week and day of the week. */
const FULL_DATES = [
  ["y", "ML", "d"],
  ["y", "o"],
  ["k", "W", "Ec"],
];

function readZone(given: Arguments, scope: Scope): string {
  const zone = given.text("zone", "utc");
  if (luxon().IANAZone.isValidZone(zone) || zone === "utc") return zone;
  complain(inside(scope, "zone"), `found ${describe(zone)}; a zone such as Europe/Oslo or America/New_York is allowed`);
  return "utc";
}
