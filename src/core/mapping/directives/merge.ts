/** `@merge`: objects laid over each other. Source: facts on Segment, 5.3. */

import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";
import { setAllOwn, setOwn } from "../own.ts";
import { complain, describe, type Expression, inside, nothing, type Scope } from "../scope.ts";
import { readArguments } from "./arguments.ts";
import { keepingMissing, settle } from "./missing.ts";
import { isMiswritten } from "./miswritten.ts";
import { warnOfOverwritten } from "./overwritten.ts";

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
      if (isJsonObject(object)) setAllOwn(merged, object);
      else if (isSegment) for (const [key, one] of spreadable(object)) setOwn(merged, key, one);
    }
    return merged;
  }, scope);
}

function spreadable(value: JsonValue | undefined): readonly (readonly [string, JsonValue])[] {
  if (typeof value === "string") return Object.entries(Object(value) as Record<string, string>);
  return Array.isArray(value) ? Object.entries(value) : [];
}
