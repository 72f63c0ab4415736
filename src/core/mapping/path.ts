/** Paths as mapping-kit writes them, `$.traits.plan` or `$.a['b'][0]`, compiled. Source: facts on Segment, 5.2. */

import type { JsonObject, JsonValue } from "../json.ts";
import { ownValue } from "./own.ts";
import type { Dialect } from "./scope.ts";

/** Needs nothing beside the data. */
export type Read = (data: JsonValue | undefined) => JsonValue | undefined;

/** The first `$.` is taken away, wherever it stands; what is left empty is the whole record. */
export function compilePath(text: string, dialect: Dialect): Read {
  const rest = text.replace("$.", "");
  if (dialect === "prickle") return compileKeys(rest === "." ? [] : prickleKeys(rest));
  return compileSegmentPath(rest);
}

/** A path without `$.`, as Segment's templates have it. */
export function compileSegmentPath(text: string): Read {
  const keys = segmentKeys(text);
  return (data) => walkLikeSegment(data, keys);
}

/** Reads along the keys; nothing where one of them is missing. */
export function compileKeys(keys: readonly string[]): Read {
  const [first, second] = keys;
  if (first === undefined) return (data) => data;
  if (keys.length === 1 && isPlain(first)) return (data) => plainValue(data, first);
  if (keys.length === 2 && second !== undefined && isPlain(first) && isPlain(second)) {
    return (data) => plainValue(plainValue(data, first), second);
  }
  return (data) => walk(data, keys);
}

function walk(data: JsonValue | undefined, keys: readonly string[]): JsonValue | undefined {
  let value = data;
  for (const key of keys) value = ownValue(value, key);
  return value;
}

/** Segment gives back the falsy value it cannot walk through: with a = 0, `$.a.b` is 0. */
function walkLikeSegment(data: JsonValue | undefined, keys: readonly string[]): JsonValue | undefined {
  let value = data;
  for (const key of keys) {
    if (!value) return value;
    value = ownValue(value, key);
  }
  return value;
}

const INHERITED: ReadonlySet<string> = new Set(
  [Object.prototype, Array.prototype].flatMap((prototype) => Object.getOwnPropertyNames(prototype)),
);

/** Nothing that JSON.parse makes inherits such a key, so it can be read without asking whose it is. */
function isPlain(key: string): boolean {
  return !INHERITED.has(key);
}

function plainValue(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (typeof value !== "object" || value === null) return typeof value === "string" ? ownValue(value, key) : undefined;
  return (value as JsonObject)[key];
}

/** Segment splits inside quotes too and drops every quote, so that a key with a dot is out of reach. */
function segmentKeys(text: string): readonly string[] {
  return text
    .split(/\[(?=["'\d])|\.|(?<=["'\d])\]+/)
    .filter((part) => part !== "")
    .map((part) => part.replace(/['"]/g, ""));
}

const STEP = /\[(?:'([^']*)'|"([^"]*)"|(\d+))\]|((?:[^.[]|\[(?!['"\d]))+)/g;

function prickleKeys(text: string): readonly string[] {
  return [...text.matchAll(STEP)].map(([, single, double, index, bare]) => single ?? double ?? index ?? bare ?? "");
}
