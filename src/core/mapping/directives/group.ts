/** `@group`: the key or a property of a group that is known already. prickle's own; resolved when a record comes in. */

import { isJsonObject, type JsonValue } from "../../json.ts";
import type { GroupRead } from "../../known-groups.ts";
import { ownValue } from "../own.ts";
import type { Run } from "../run.ts";
import { complain, describe, type Expression, inside, nothing, type Scope, suggestion, warn } from "../scope.ts";
import { readArguments } from "./arguments.ts";

/** `{type, key}` or `{type, where: {property: value}}`; with `property` that property of it, else its key. Nothing where none is known. */
export function compileGroup(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["type"], optional: ["key", "where", "property"] });
  if (!given) return nothing;
  const groupType = given.text("type", "");
  if (groupType !== "" && scope.groupTypes.length > 0 && !scope.groupTypes.includes(groupType)) {
    const near = suggestion(groupType, scope.groupTypes);
    warn(inside(scope, "type"), `${describe(groupType)} is not among groupTypes of this mapping.${near}`);
  }
  if (given.has("key") === given.has("where")) return complain(scope, 'either "key" or "where" is needed');
  const property = given.has("property") ? given.text("property", "") : null;
  return given.has("key")
    ? byKey(given.value("key"), { groupType, property }, scope)
    : byProperty(given.table("where"), { groupType, property }, inside(scope, "where"));
}

interface Wanted {
  readonly groupType: string;
  /** Null: the key. */
  readonly property: string | null;
}

function byKey(key: Expression, { groupType, property }: Wanted, scope: Scope): Expression {
  noteRead(scope, { groupType, property: null, gives: property });
  return (data, run) => {
    const groupKey = scalarOf(key(data, run));
    if (groupKey === null) return undefined;
    const text = String(groupKey);
    const properties = run.groups.byKey(groupType, text);
    if (properties === null) return undefined;
    return property === null ? text : ownValue(properties as Record<string, JsonValue>, property);
  };
}

function byProperty(
  where: Record<string, JsonValue> | null,
  { groupType, property }: Wanted,
  scope: Scope,
): Expression {
  if (where === null) return nothing;
  const [[known, raw] = ["", null], second] = Object.entries(where);
  if (known === "" || second) return complain(scope, "one property and its value are needed");
  noteRead(scope, { groupType, property: known, gives: property });
  const value = scope.compile(raw, inside(scope, known));
  return (data, run: Run) => {
    const wanted = scalarOf(value(data, run));
    const group = wanted === null ? null : run.groups.byProperty(groupType, known, wanted);
    if (group === null) return undefined;
    return property === null ? group.groupKey : ownValue(group.properties as Record<string, JsonValue>, property);
  };
}

function scalarOf(value: JsonValue | undefined): string | number | boolean | null {
  return value === undefined || value === "" || isJsonObject(value) || Array.isArray(value) ? null : value;
}

function noteRead({ groupReads }: Scope, { groupType, property, gives }: GroupRead): void {
  const isKnown = groupReads.some(
    (read) => read.groupType === groupType && read.property === property && read.gives === gives,
  );
  if (!isKnown) groupReads.push({ groupType, property, gives });
}
