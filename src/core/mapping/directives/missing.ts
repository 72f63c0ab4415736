/** Segment's dialect: what is missing stays as `undefined` until the directive that treats it differently has run. */

import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";
import { setOwn } from "../own.ts";
import type { Expression, Scope } from "../scope.ts";

/** The same place, where what is missing is kept if the dialect is Segment's. */
export function keepingMissing(scope: Scope): Scope {
  return scope.dialect === "segment" ? { ...scope, keepsMissing: true } : scope;
}

/** Around a directive that keeps what is missing inside: what it gives is JSON again, unless its own place keeps it too. */
export function settle(expression: Expression, scope: Scope): Expression {
  if (scope.dialect !== "segment" || scope.keepsMissing) return expression;
  return (data, run) => withoutMissing(expression(data, run), null);
}

/** What `@transform` applied: Segment leaves out of it what is missing in objects, but not in lists. */
export function settleObjects(expression: Expression): Expression {
  return (data, run) => withoutMissing(expression(data, run), undefined);
}

/** Left out of objects; in lists null, or kept. What has nothing missing is given back as it is, not copied. */
function withoutMissing(value: JsonValue | undefined, inLists: null | undefined): JsonValue | undefined {
  return holdsMissing(value) ? settled(value, inLists) : value;
}

function holdsMissing(value: JsonValue | undefined): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some((item) => item === undefined || holdsMissing(item));
  for (const key of Object.keys(value)) {
    const inner = value[key];
    if (inner === undefined || holdsMissing(inner)) return true;
  }
  return false;
}

function settled(value: JsonValue | undefined, inLists: null | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((item) => settledItem(item, inLists));
  if (!isJsonObject(value)) return value;
  const whole: JsonObject = {};
  for (const key of Object.keys(value)) {
    const inner = settled(value[key], inLists);
    if (inner !== undefined) setOwn(whole, key, inner);
  }
  return whole;
}

function settledItem(item: JsonValue | undefined, inLists: null | undefined): JsonValue {
  return (item === undefined ? inLists : settled(item, inLists)) as JsonValue;
}
