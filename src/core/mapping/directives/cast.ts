/** `@cast`: a value as a number, boolean, date or text, or the reason why it is none. prickle's own. */

import type { JsonValue } from "../../json.ts";
import { describe, type Expression, inside, nothing, type Scope, warn } from "../scope.ts";
import { type Arguments, readArguments } from "./arguments.ts";
import { compileTimeCast } from "./cast-time.ts";
import { readOtherwise } from "./otherwise.ts";

/** `undefined` for what cannot be cast. */
export type Cast = (value: string | number | boolean) => string | number | boolean | undefined;

const KINDS = ["number", "integer", "boolean", "date", "datetime", "string"] as const;
type Kind = (typeof KINDS)[number];

const NEEDED: Readonly<Record<Kind, string>> = {
  number: "a number is needed",
  integer: "a whole number is needed",
  boolean: "true, false, yes, no, on, off, 1 or 0 is needed",
  date: "a date is needed",
  datetime: "a date with a time is needed",
  string: "a text, a number or a boolean is needed",
};

/** In characters: no number or date is longer, and nothing longer is tried as one. */
const LONGEST = 100;

/** Nothing stays nothing, null stays null, and an empty text is null except as a string: so do CRMs write a cleared field. */
export function compileCast(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["value", "to"], optional: ["zone", "format", "otherwise"] });
  if (!given) return nothing;
  const kind = given.word("to", KINDS, "string");
  const cast = castTo(kind, given, scope);
  const value = given.value("value");
  const otherwise = readOtherwise(given, scope, { fallback: "refuse", allowed: NEEDED[kind] });
  return (data, run) => {
    const found = value(data, run);
    if (found === undefined || found === null) return found;
    if (typeof found === "string" && kind !== "string" && found.trim() === "") return null;
    const isReadable = typeof found !== "object" && (kind === "string" || String(found).length <= LONGEST);
    const result = isReadable ? cast(found) : undefined;
    return result === undefined ? otherwise(run, found, describe(found)) : result;
  };
}

function castTo(kind: Kind, given: Arguments, scope: Scope): Cast {
  if (kind === "date" || kind === "datetime") return compileTimeCast(kind, given, scope);
  for (const key of ["zone", "format"]) if (given.has(key)) warn(inside(scope, key), `has no effect on a ${kind}`);
  return SIMPLE[kind];
}

const SIMPLE: Readonly<Record<Exclude<Kind, "date" | "datetime">, Cast>> = {
  number: toNumber,
  integer: (value) => {
    const number = toNumber(value);
    return Number.isSafeInteger(number) ? number : undefined;
  },
  boolean: toBoolean,
  string: (value) => (typeof value === "number" && !Number.isFinite(value) ? undefined : String(value)),
};

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

function toNumber(value: JsonValue): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || !DECIMAL.test(value.trim())) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["true", "yes", "on", "1"].map((word) => [word, true] as const),
  ...["false", "no", "off", "0"].map((word) => [word, false] as const),
]);

function toBoolean(value: JsonValue): boolean | undefined {
  return BOOLEANS.get(String(value).trim().toLowerCase());
}
