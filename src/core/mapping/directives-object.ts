/** Directives over objects and lists: @arrayPath, @flatten, @json, @merge, @transform, @excludeWhenNull, @omit. Source: facts on Segment, 5.3. */

import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { readArguments } from "./arguments.ts";
import { setOwn } from "./own.ts";
import { complain, describe, type Expression, inside, nothing, type Scope } from "./scope.ts";

/** `[path, shape]`: each item of a list through the shape; one object is taken as one item. */
export function compileArrayPath(argument: unknown, scope: Scope): Expression {
  if (!Array.isArray(argument) || argument.length < 1 || argument.length > 2) {
    return complain(scope, `found ${describe(argument)}; a list of a path and a shape is allowed`);
  }
  const [path, shape] = argument;
  const pathDirective = typeof path === "string" ? { "@path": path } : path;
  const root = scope.compile(pathDirective, inside(scope, 0));
  if (shape === undefined || (isJsonObject(shape) && Object.keys(shape).length === 0)) return root;
  const item = scope.compile(shape, inside(scope, 1));
  return (data) => {
    const found = root(data);
    if (Array.isArray(found)) return found.map((one) => item(one) ?? null);
    return isJsonObject(found) ? [item(found) ?? null] : found;
  };
}

export function compileFlatten(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["value", "separator"], optional: ["omitArrays"] });
  if (!given) return nothing;
  const separator = given.text("separator", ".");
  const omitArrays = given.flag("omitArrays", false);
  const value = given.value("value");
  return (data) => {
    const flat: JsonObject = {};
    const spread = (inner: JsonValue, prefix: string) => {
      if (typeof inner !== "object" || inner === null || (omitArrays && Array.isArray(inner)))
        return setOwn(flat, prefix, inner);
      for (const [key, one] of Object.entries(inner)) spread(one, prefix === "" ? key : `${prefix}${separator}${key}`);
    };
    const found = value(data);
    if (found !== undefined) spread(found, "");
    return flat;
  };
}

/** Decoding leaves alone what is no text or no JSON. */
export function compileJson(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["mode", "value"] });
  if (!given) return nothing;
  const mode = given.word("mode", ["encode", "decode"], "encode");
  const value = given.value("value");
  if (mode === "encode") {
    return (data) => {
      const found = value(data);
      return found === undefined ? undefined : JSON.stringify(found);
    };
  }
  return (data) => decode(value(data));
}

function decode(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as JsonValue;
  } catch {
    return value;
  }
}

/** Shallow; the later object wins, with `left` the earlier. What is missing in one does not hide what another has. */
export function compileMerge(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["objects"], optional: ["direction"] });
  if (!given) return nothing;
  const direction = given.word("direction", ["left", "right"], "right");
  const objects = given.raw("objects");
  if (!Array.isArray(objects)) {
    return complain(inside(scope, "objects"), `found ${describe(objects)}; a list of objects is allowed`);
  }
  const parts = objects.map((object, index) => scope.compile(object, inside(scope, "objects", index)));
  if (direction === "left") parts.reverse();
  return (data) => {
    const merged: JsonObject = {};
    for (const part of parts) {
      const object = part(data);
      if (!isJsonObject(object)) continue;
      for (const key of Object.keys(object)) setOwn(merged, key, object[key] ?? null);
    }
    return merged;
  };
}

/** The mapping reads what `apply` made instead of the record. */
export function compileTransform(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["apply", "mapping"] });
  if (!given) return nothing;
  const apply = given.value("apply");
  const mapping = given.value("mapping");
  return (data) => mapping(apply(data));
}

/** Null is left out, also in the objects within; lists are kept as they are. */
export function compileExcludeWhenNull(argument: unknown, scope: Scope): Expression {
  const value = scope.compile(argument, scope);
  return (data) => withoutNull(value(data));
}

function withoutNull(value: JsonValue | undefined): JsonValue | undefined {
  if (value === null) return undefined;
  if (!isJsonObject(value)) return value;
  const kept: JsonObject = {};
  for (const [key, field] of Object.entries(value)) {
    const rest = withoutNull(field);
    if (rest !== undefined) setOwn(kept, key, rest);
  }
  return kept;
}

/** prickle's own: an object without the keys named. */
export function compileOmit(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["value", "keys"] });
  if (!given) return nothing;
  const value = given.value("value");
  const keys = given.raw("keys");
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string")) {
    return complain(inside(scope, "keys"), `found ${describe(keys)}; a list of texts is allowed`);
  }
  return (data) => {
    const found = value(data);
    if (!isJsonObject(found)) return found;
    if (!keys.some((key) => Object.hasOwn(found, key))) return found;
    const kept: JsonObject = {};
    for (const key of Object.keys(found)) if (!keys.includes(key)) setOwn(kept, key, found[key] ?? null);
    return kept;
  };
}
