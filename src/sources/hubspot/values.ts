/** HubSpot writes every value as text: here they become what their property says they are (facts: HubSpot, 6). */

import { DateTime } from "luxon";
import type { JsonValue } from "../../core/json.ts";
import type { WireProperty } from "./wire.ts";

export interface TypedValue {
  readonly value: JsonValue;
  /** It is not of its property's type, and stays as it is. */
  readonly isRefused: boolean;
}

export interface ValueOptions {
  /** Options of enumerations by the label people see, rather than by the name HubSpot keeps. */
  readonly usesLabels: boolean;
}

type Typing = Pick<WireProperty, "type" | "fieldType" | "options">;

const GROUPED = /^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/;
const PLAIN = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** Milliseconds since 1970, now and then as a float. */
const MILLISECONDS = /^-?\d{9,15}(\.\d+)?$/;
/** More, and a number would not be what was written. */
const SAFE_DIGITS = 15;

export function typeValue(raw: string | null, property: Typing, options: ValueOptions): TypedValue {
  if (raw === null || raw === "") return taken(null);
  switch (property.type) {
    case "bool":
      return typeFlag(raw);
    case "number":
      return typeNumber(raw);
    case "enumeration":
      return typeEnumeration(raw, property, options);
    case "date":
      return typeDate(raw);
    case "datetime":
      return typeTime(raw);
    default:
      return taken(raw);
  }
}

function typeFlag(raw: string): TypedValue {
  const text = raw.trim().toLowerCase();
  return text === "true" || text === "false" ? taken(text === "true") : refused(raw);
}

function typeNumber(raw: string): TypedValue {
  const text = raw.trim();
  const plain = GROUPED.test(text) ? text.replaceAll(",", "") : text;
  if (!PLAIN.test(plain)) return refused(raw);
  const [whole = ""] = plain.replace(/^[+-]?0*/, "").split(/[.eE]/);
  if (whole.length > SAFE_DIGITS) return taken(text);
  const value = Number(plain);
  return Number.isFinite(value) ? taken(value) : refused(raw);
}

function typeEnumeration(raw: string, { fieldType, options }: Typing, { usesLabels }: ValueOptions): TypedValue {
  if (fieldType === "booleancheckbox") return typeFlag(raw);
  const labels = new Map(usesLabels ? options.map(({ value, label }) => [value, label]) : []);
  const shown = (value: string) => labels.get(value) ?? value;
  if (fieldType !== "checkbox") return taken(shown(raw));
  return taken(listIn(raw).map(shown));
}

/** A day of the calendar: in no time zone is it another. */
function typeDate(raw: string): TypedValue {
  const text = raw.trim();
  const isDay = DAY.test(text);
  const ms = isDay ? Date.parse(text) : instantOf(text);
  return Number.isFinite(ms) ? taken(isDay ? text : new Date(ms).toISOString().slice(0, 10)) : refused(raw);
}

function typeTime(raw: string): TypedValue {
  const ms = instantOf(raw.trim());
  return Number.isFinite(ms) ? taken(new Date(ms).toISOString()) : refused(raw);
}

/** ms UTC, whole; NaN: it is no time. One that states no zone is in UTC. */
function instantOf(text: string): number {
  const ms = MILLISECONDS.test(text) ? Number(text) : DateTime.fromISO(text, { zone: "utc" }).toMillis();
  return Math.trunc(ms);
}

/** `a;b;c` */
export function listIn(raw: string): string[] {
  return raw
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function taken(value: JsonValue): TypedValue {
  return { value, isRefused: false };
}

function refused(raw: string): TypedValue {
  return { value: raw, isRefused: true };
}
