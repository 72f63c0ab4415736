/** Directives over objects and lists: @flatten, @json, @excludeWhenNull. Source: facts on Segment, 5.3. */

import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";
import { setOwn } from "../own.ts";
import { complain, type Expression, inside, nothing, refusalAt, type Scope } from "../scope.ts";
import { readArguments } from "./arguments.ts";
import { DEEPEST_VALUE, isDeeperThan } from "./depth.ts";
import { keepingMissing, settle } from "./missing.ts";
import { isMiswritten } from "./miswritten.ts";
import { LONGEST_TEXT, tooLongAt } from "./too-long.ts";

const TOO_DEEP = `a value nested deeper than ${DEEPEST_VALUE} levels`;

export function compileFlatten(argument: unknown, scope: Scope): Expression {
  const within = keepingMissing(scope);
  const given = readArguments(argument, within, { needed: ["value", "separator"], optional: ["omitArrays"] });
  if (!given) return nothing;
  const separator = given.text("separator", ".");
  if (separator === "") complain(inside(scope, "separator"), "an empty separator is not allowed");
  const omitArrays = scope.dialect === "segment" ? Boolean(given.raw("omitArrays")) : given.flag("omitArrays", false);
  const value = given.value("value");
  const form = { separator, omitArrays };
  const tooLong = tooLongAt(scope);
  const refuse = refusalAt(scope);
  return settle((data, run) => {
    const found = value(data, run);
    if (isDeeperThan(DEEPEST_VALUE, found)) return refuse(run, TOO_DEEP, "less nesting is needed");
    const flat: Flat = { object: {}, characters: 0 };
    if (found !== undefined || scope.keepsMissing) spread(found, "", flat, form);
    return flat.characters > LONGEST_TEXT ? tooLong(run) : flat.object;
  }, scope);
}

interface FlatForm {
  readonly separator: string;
  readonly omitArrays: boolean;
}

interface Flat {
  readonly object: JsonObject;
  /** Of all keys: a long one is there again before each of those within. */
  characters: number;
}

function spread(value: JsonValue | undefined, prefix: string, flat: Flat, form: FlatForm): void {
  if (flat.characters > LONGEST_TEXT) return;
  if (typeof value !== "object" || value === null || (form.omitArrays && Array.isArray(value))) {
    flat.characters += prefix.length;
    setOwn(flat.object, prefix, value);
    return;
  }
  const before = prefix === "" ? "" : prefix + form.separator;
  for (const key of Object.keys(value)) spread((value as JsonObject)[key], before + key, flat, form);
}

/** Decoding leaves alone what is no text or no JSON, and refuses what nests too deeply. */
export function compileJson(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["mode", "value"] });
  if (!given) return nothing;
  if (scope.dialect === "segment" && !given.raw("value"))
    return complain(inside(scope, "value"), "Segment takes no null, false, 0 or empty text here");
  const value = given.value("value");
  if (isMiswritten(given.raw("mode"), ["encode", "decode"], inside(scope, "mode")))
    return (data, run) => void value(data, run);
  if (given.word("mode", ["encode", "decode"], "encode") === "encode") return (data, run) => encode(value(data, run));
  const refuse = refusalAt(scope);
  return (data, run) => {
    const decoded = decode(value(data, run));
    if (!isDeeperThan(DEEPEST_VALUE, decoded)) return decoded;
    return refuse(run, TOO_DEEP, "less nesting is needed");
  };
}

function encode(value: JsonValue | undefined): JsonValue | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

function decode(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as JsonValue;
  } catch {
    return value;
  }
}

/** Null is left out, also in the objects within; lists are kept as they are. */
export function compileExcludeWhenNull(argument: unknown, scope: Scope): Expression {
  const value = scope.compile(argument, scope);
  const { keepsMissing } = scope;
  return (data, run) => withoutNull(value(data, run), keepsMissing);
}

function withoutNull(value: JsonValue | undefined, keepsMissing: boolean): JsonValue | undefined {
  if (value === null) return undefined;
  if (!isJsonObject(value)) return value;
  const kept: JsonObject = {};
  for (const [key, field] of Object.entries(value)) {
    const rest = withoutNull(field, keepsMissing);
    if (rest !== undefined || keepsMissing) setOwn(kept, key, rest);
  }
  return kept;
}
