/** Keys of a `@merge` that are written for nothing: a later object always has its own. */

import { isJsonObject, type JsonObject } from "../../json.ts";
import { inside, type Scope, warn } from "../scope.ts";

/** `objects` as the mapping has them, `order` the indexes in which they are laid over each other. */
export function warnOfOverwritten(objects: readonly unknown[], order: readonly number[], scope: Scope): void {
  for (const [position, index] of order.entries()) {
    for (const key of literalKeys(objects[index])) {
      const by = order.slice(position + 1).find((later) => alwaysWrites(objects[later], key, scope));
      if (by !== undefined) warn(inside(scope, index, key), `written twice: that of objects[${by}] always wins`);
    }
  }
}

function literalKeys(object: unknown): readonly string[] {
  return isLiteral(object) ? Object.keys(object) : [];
}

function isLiteral(object: unknown): object is JsonObject {
  return isJsonObject(object) && !Object.keys(object).some((key) => key.startsWith("@"));
}

/** For Segment also a value that is missing wins: it deletes. */
function alwaysWrites(object: unknown, key: string, { dialect }: Scope): boolean {
  if (!isLiteral(object) || !Object.hasOwn(object, key)) return false;
  return dialect === "segment" || !mayBeMissing(object[key]);
}

function mayBeMissing(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const [directive] = Object.keys(value).filter((key) => key.startsWith("@"));
  return directive !== undefined && !ALWAYS_THERE.has(directive);
}

const ALWAYS_THERE: ReadonlySet<string> = new Set(["@template", "@liquid", "@literal", "@flatten", "@replace"]);
