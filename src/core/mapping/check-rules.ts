/** What is wrong with the rules of a mapping beside their values: rules that never apply, group types that never come out. */

import { isJsonObject } from "../json.ts";
import { conditionTree } from "./coverage.ts";
import type { EffectiveFile } from "./effective.ts";
import type { EffectiveRule, Placed } from "./effective-rule.ts";
import { clausesOf } from "./fql/clauses.ts";
import type { FqlNode } from "./fql/tree.ts";
import type { ScopeOf } from "./layers.ts";
import { createReachability } from "./reachability.ts";
import { complain, describe, inside, type Scope, suggestion, warn } from "./scope.ts";

const CALL_TYPES = ["group", "track", "identify", "page", "screen", "alias", "delete"];

export function checkRules(file: EffectiveFile, scopeOf: ScopeOf): void {
  const reachability = createReachability();
  for (const rule of file.rules) {
    const tree = conditionTree(rule.parts.get("when")?.value);
    const clauses = tree === null ? null : clausesOf(tree);
    if (tree) checkCallTypes(tree, scopeAt(rule.parts.get("when"), rule, scopeOf));
    // Where something is left out, the condition may be what is.
    if (clauses && !rule.unread.has("")) reachability.check(rule, clauses, scopeAt(undefined, rule, scopeOf));
  }
  checkGroupTypesUsed(file, scopeOf);
}

function checkCallTypes(tree: FqlNode, scope: Scope): void {
  for (const type of typesIn(tree)) {
    if (CALL_TYPES.includes(type)) continue;
    warn(scope, `${describe(type)} is no type of call; ${CALL_TYPES.join(", ")} are.${suggestion(type, CALL_TYPES)}`);
  }
}

/** The texts that `type` is compared with. */
function typesIn(node: FqlNode): readonly string[] {
  switch (node.kind) {
    case "and":
    case "or":
      return node.operands.flatMap(typesIn);
    case "not":
    case "group":
      return typesIn(node.operand);
    case "compare": {
      if (node.left.kind !== "field" || node.left.written !== "type") return [];
      const values = node.right.kind === "list" ? node.right.items : [node.right];
      return values.flatMap((one) => (one.kind === "literal" && typeof one.value === "string" ? one.value : []));
    }
    default:
      return [];
  }
}

function checkGroupTypesUsed({ rules, groupTypes, isWhole }: EffectiveFile, scopeOf: ScopeOf): void {
  const declared = groupTypes.map(({ value }) => value);
  const used = new Set<string>();
  let isOpen = !isWhole;
  for (const { parts } of rules) {
    for (const [part, read] of [
      ["groupIdentify.groupType", constantType],
      ["event.groups", constantKeys],
      ["membership.groupType", constantType],
    ] as const) {
      const placed = parts.get(part);
      const types = placed ? read(placed.value) : [];
      isOpen ||= types === null;
      for (const type of types ?? []) used.add(type);
      if (placed)
        for (const type of types ?? []) checkDeclared(type, declared, inside(scopeOf(placed.layer), ...placed.at));
    }
  }
  if (isOpen) return;
  for (const { value, layer, at } of groupTypes)
    if (!used.has(value)) warn(inside(scopeOf(layer), ...at), `no rule makes a group of type ${describe(value)}`);
}

function checkDeclared(type: string, declared: readonly string[], scope: Scope): void {
  if (declared.length === 0 || declared.includes(type)) return;
  complain(scope, `${describe(type)} is not among groupTypes: ${declared.join(", ")}.${suggestion(type, declared)}`);
}

/** Null where the type is known only when a record comes. */
function constantType(value: unknown): readonly string[] | null {
  return typeof value === "string" && value !== "" ? [value] : null;
}

/** The group types that are keys of an object, also of those merged; null where others may come. */
function constantKeys(value: unknown): readonly string[] | null {
  if (!isJsonObject(value)) return null;
  const merge = value["@merge"];
  const objects = isJsonObject(merge) && Array.isArray(merge.objects) ? merge.objects : null;
  const keys = objects ? objects.map(constantKeys) : [Object.keys(value)];
  const known = keys.filter((one) => one !== null).flat();
  return keys.includes(null) || known.some((key) => key.startsWith("@")) ? null : known;
}

function scopeAt(part: Placed<unknown> | undefined, { layer, at }: EffectiveRule, scopeOf: ScopeOf): Scope {
  return inside(scopeOf(part?.layer ?? layer), ...(part?.at ?? at));
}
