/** The directives of the mapping language by name, each a function from its argument to an expression. */

import { compileArrayPath } from "./directives/array-path.ts";
import { compileOmit, compilePick, compileRename } from "./directives/bags.ts";
import { compileCast } from "./directives/cast.ts";
import { compileDomain } from "./directives/domain.ts";
import { compileGroup } from "./directives/group.ts";
import { compileHash } from "./directives/hash.ts";
import { compileLiquid } from "./directives/liquid.ts";
import { compileLookup } from "./directives/lookup.ts";
import { compileMerge } from "./directives/merge.ts";
import { compileExcludeWhenNull, compileFlatten, compileJson } from "./directives/objects.ts";
import { compileReplace } from "./directives/replace.ts";
import { compileTemplate } from "./directives/template.ts";
import { compileTransform } from "./directives/transform.ts";
import { compileCase, compileCoalesce, compileIf } from "./directives/values.ts";
import { compilePath } from "./path.ts";
import { complain, describe, type Expression, refusalAt, type Scope } from "./scope.ts";

export type Directive = (argument: unknown, scope: Scope) => Expression;

/** Segment's 13. */
const SEGMENT: readonly (readonly [string, Directive])[] = [
  ["@path", compilePathDirective],
  ["@template", compileTemplate],
  ["@if", compileIf],
  ["@case", compileCase],
  ["@replace", compileReplace],
  ["@arrayPath", compileArrayPath],
  ["@literal", compileLiteralDirective],
  ["@flatten", compileFlatten],
  ["@json", compileJson],
  ["@merge", compileMerge],
  ["@transform", compileTransform],
  ["@excludeWhenNull", compileExcludeWhenNull],
  ["@liquid", compileLiquid],
];

/** prickle's own, in both dialects. */
const OWN: readonly (readonly [string, Directive])[] = [
  ["@coalesce", compileCoalesce],
  ["@cast", compileCast],
  ["@lookup", compileLookup],
  ["@domain", compileDomain],
  ["@pick", compilePick],
  ["@omit", compileOmit],
  ["@rename", compileRename],
  ["@hash", compileHash],
  ["@group", compileGroup],
];

export const DIRECTIVES: ReadonlyMap<string, Directive> = new Map([
  ...SEGMENT,
  ...OWN.map(([name, directive]) => [name, settled(directive)] as const),
]);

/** What Segment's dialect keeps as `undefined` is no concern of prickle's own. */
function settled(directive: Directive): Directive {
  return (argument, scope) => directive(argument, { ...scope, keepsMissing: false });
}

/** Segment resolves directives inside a literal too. */
function compileLiteralDirective(argument: unknown, scope: Scope): Expression {
  return scope.dialect === "segment" ? scope.compile(argument, scope) : scope.literal(argument, scope);
}

/** Of a path that a record may bring, in characters. */
const LONGEST_PATH = 1000;

/** A path may itself be computed; then it is compiled when its text is known. */
function compilePathDirective(argument: unknown, scope: Scope): Expression {
  if (typeof argument === "string") return compilePath(argument, scope.dialect);
  if (typeof argument !== "object" || argument === null)
    return complain(scope, `found ${describe(argument)}; a path like "$.traits.plan" is allowed`);
  const text = scope.compile(argument, scope);
  const refuse = refusalAt(scope);
  return (data, run) => {
    const path = text(data, run);
    if (typeof path === "string" && path.length > LONGEST_PATH)
      return refuse(run, `a path of ${path.length} characters`, `${LONGEST_PATH} are allowed`);
    if (typeof path === "string") return compilePath(path, scope.dialect)(data);
    return scope.dialect === "segment" ? refuse(run, describe(path), "a path is needed") : undefined;
  };
}
