/** Directives over objects and lists: @flatten, @json, @merge, @transform, @excludeWhenNull. Source: facts on Segment, 5.3. */

import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { readArguments } from "./arguments.ts";
import { keepingMissing, settle } from "./missing.ts";
import { warnOfOverwritten } from "./overwritten.ts";
import { setOwn } from "./own.ts";
import { compileRootDirective, hasRootDirective } from "./root-directive.ts";
import { complain, describe, type Expression, inside, nothing, refusalAt, type Scope, warn } from "./scope.ts";

export function compileFlatten(argument: unknown, scope: Scope): Expression {
  const within = keepingMissing(scope);
  const given = readArguments(argument, within, { needed: ["value", "separator"], optional: ["omitArrays"] });
  if (!given) return nothing;
  const separator = given.text("separator", ".");
  if (separator === "") complain(inside(scope, "separator"), "an empty separator is not allowed");
  const omitArrays = scope.dialect === "segment" ? Boolean(given.raw("omitArrays")) : given.flag("omitArrays", false);
  const value = given.value("value");
  return settle((data, run) => {
    const flat: JsonObject = {};
    const spread = (inner: JsonValue | undefined, prefix: string) => {
      if (typeof inner !== "object" || inner === null || (omitArrays && Array.isArray(inner)))
        return setOwn(flat, prefix, inner);
      for (const [key, one] of Object.entries(inner)) spread(one, prefix === "" ? key : `${prefix}${separator}${key}`);
    };
    const found = value(data, run);
    if (found !== undefined || scope.keepsMissing) spread(found, "");
    return flat;
  }, scope);
}

/** Decoding leaves alone what is no text or no JSON. */
export function compileJson(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["mode", "value"] });
  if (!given) return nothing;
  if (scope.dialect === "segment" && !given.raw("value"))
    return complain(inside(scope, "value"), "Segment takes no null, false, 0 or empty text here");
  const value = given.value("value");
  if (isMiswritten(given.raw("mode"), ["encode", "decode"], inside(scope, "mode")))
    return (data, run) => void value(data, run);
  return given.word("mode", ["encode", "decode"], "encode") === "encode"
    ? (data, run) => encode(value(data, run))
    : (data, run) => decode(value(data, run));
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

/** Segment lets capitals pass when it checks a word, and does not know the word when it runs. */
function isMiswritten(word: unknown, words: readonly string[], scope: Scope): boolean {
  if (scope.dialect !== "segment" || typeof word !== "string" || words.includes(word)) return false;
  if (!words.includes(word.toLowerCase())) return false;
  warn(scope, `found ${describe(word)}; only ${describe(word.toLowerCase())} has an effect`);
  return true;
}

/**
 * Shallow; the later object wins, with `left` the earlier. What is missing in one does not hide what another has — but
 * for Segment, where it deletes it, and where texts and lists are spread too.
 */
export function compileMerge(argument: unknown, scope: Scope): Expression {
  const isSegment = scope.dialect === "segment";
  const forms = isSegment ? { needed: ["objects", "direction"] } : { needed: ["objects"], optional: ["direction"] };
  const given = readArguments(argument, scope, forms);
  if (!given) return nothing;
  const words = ["left", "right"] as const;
  const miswritten = isMiswritten(given.raw("direction"), words, inside(scope, "direction"));
  const direction = miswritten ? "right" : given.word("direction", words, "right");
  const objects = given.raw("objects");
  if (!Array.isArray(objects))
    return complain(inside(scope, "objects"), `found ${describe(objects)}; a list of objects is allowed`);
  const within = keepingMissing(scope);
  const parts = objects.map((object, index) => {
    const at = inside(within, "objects", index);
    return isJsonObject(object)
      ? scope.compile(object, at)
      : complain(at, `found ${describe(object)}; an object or a directive is allowed`);
  });
  const order = [...objects.keys()];
  if (direction === "left") for (const list of [parts, order]) list.reverse();
  warnOfOverwritten(objects, order, inside(scope, "objects"));
  return settle((data, run) => {
    const merged: JsonObject = {};
    for (const part of parts) {
      const object = part(data, run);
      if (isJsonObject(object)) for (const key of Object.keys(object)) setOwn(merged, key, object[key]);
      else if (isSegment) for (const [key, one] of spreadable(object)) setOwn(merged, key, one);
    }
    return merged;
  }, scope);
}

function spreadable(value: JsonValue | undefined): readonly (readonly [string, JsonValue])[] {
  if (typeof value === "string") return Object.entries(Object(value) as Record<string, string>);
  return Array.isArray(value) ? Object.entries(value) : [];
}

/** The mapping reads what `apply` made instead of the record. */
export function compileTransform(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["apply", "mapping"] });
  if (!given) return nothing;
  const [raw, at] = [given.raw("apply"), inside({ ...scope, keepsMissing: false }, "apply")];
  const apply = isJsonObject(raw) && hasRootDirective(raw) ? compileRootDirective(raw, at) : scope.compile(raw, at);
  const mapping = given.value("mapping");
  if (scope.dialect === "prickle") return (data, run) => mapping(apply(data, run), run);
  for (const key of ["apply", "mapping"])
    if (!isJsonObject(given.raw(key)))
      complain(inside(scope, key), `found ${describe(given.raw(key))}; an object is allowed`);
  const refuse = refusalAt(scope);
  return (data = {}, run) =>
    isJsonObject(data)
      ? mapping(apply(data, run), run)
      : refuse(run, describe(data), "an object to transform is needed");
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
