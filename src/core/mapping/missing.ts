/** Segment's dialect: what is missing stays as `undefined` until the directive that treats it differently has run. */

import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { setOwn } from "./own.ts";
import type { Expression, Scope } from "./scope.ts";

/** The same place, where what is missing is kept if the dialect is Segment's. */
export function keepingMissing(scope: Scope): Scope {
  return scope.dialect === "segment" ? { ...scope, keepsMissing: true } : scope;
}

/** Around a directive that keeps what is missing inside: what it gives is JSON again, unless its own place keeps it too. */
export function settle(expression: Expression, scope: Scope): Expression {
  if (scope.dialect !== "segment" || scope.keepsMissing) return expression;
  return (data, run) => withoutMissing(expression(data, run));
}

/** Left out of objects, null in lists. What has nothing missing is given back as it is, not copied. */
export function withoutMissing(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return withoutMissingItems(value);
  return isJsonObject(value) ? withoutMissingKeys(value) : value;
}

function withoutMissingItems(items: JsonValue[]): JsonValue[] {
  const whole = items.map((item: JsonValue | undefined) => withoutMissing(item) ?? null);
  return whole.every((item, index) => item === items[index]) ? items : whole;
}

function withoutMissingKeys(object: JsonObject): JsonObject {
  const whole: JsonObject = {};
  let changed = false;
  for (const key of Object.keys(object)) {
    const value = object[key];
    const settled = withoutMissing(value);
    if (settled !== undefined) setOwn(whole, key, settled);
    changed ||= settled !== value || settled === undefined;
  }
  return changed ? whole : object;
}
