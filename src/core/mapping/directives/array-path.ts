/** `@arrayPath`: the items of a list through a shape. Source: facts on Segment, 5.3. */

import { isJsonObject, type JsonValue } from "../../json.ts";
import { complain, complainUnlessSegment, describe, type Expression, inside, type Scope } from "../scope.ts";
import { keepingMissing, settle } from "./missing.ts";

/** `[path, shape]`: each item of a list through the shape; one object is taken as one item. Without a shape the list as it is. */
export function compileArrayPath(argument: unknown, scope: Scope): Expression {
  if (!Array.isArray(argument) || argument.length < 1)
    return complain(scope, `found ${describe(argument)}; a list of a path and a shape is allowed`);
  const [path, shape] = argument;
  if (argument.length > 2)
    complainUnlessSegment(inside(scope, 2), "found a third item; a path and a shape are allowed");
  if (typeof path !== "string" && !isJsonObject(path))
    return complain(inside(scope, 0), `found ${describe(path)}; a path or a directive is allowed`);
  const within = keepingMissing(scope);
  const root = scope.compile(typeof path === "string" ? { "@path": path } : path, inside(within, 0));
  if (!hasEffect(shape, scope)) return settle(root, scope);
  const item = scope.compile(shape, inside(within, 1));
  const isSegment = scope.dialect === "segment";
  return settle((data, run) => {
    const found = root(data, run);
    // Where Segment keeps what is missing, settling makes it null.
    const shaped = (one: JsonValue) => (isSegment ? (item(one, run) as JsonValue) : (item(one, run) ?? null));
    if (Array.isArray(found)) return found.map(shaped);
    return isJsonObject(found) ? [shaped(found)] : found;
  }, scope);
}

/** Segment shapes by objects only, and not by an empty one. */
function hasEffect(shape: unknown, scope: Scope): boolean {
  if (isJsonObject(shape)) return Object.keys(shape).length > 0;
  return shape !== undefined && scope.dialect === "prickle";
}
