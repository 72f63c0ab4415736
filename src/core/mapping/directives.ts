/** The directives of the mapping language by name, each a function from its argument to an expression. */

import {
  compileArrayPath,
  compileExcludeWhenNull,
  compileFlatten,
  compileJson,
  compileMerge,
  compileOmit,
  compileTransform,
} from "./directives-object.ts";
import { compileCase, compileCoalesce, compileIf, compileReplace, compileTemplate } from "./directives-value.ts";
import { compilePath } from "./path.ts";
import { complain, describe, type Expression, type Scope } from "./scope.ts";

export type Directive = (argument: unknown, scope: Scope) => Expression;

export const DIRECTIVES: ReadonlyMap<string, Directive> = new Map<string, Directive>([
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
  ["@coalesce", compileCoalesce],
  ["@omit", compileOmit],
]);

/** Segment resolves directives inside a literal too. */
function compileLiteralDirective(argument: unknown, scope: Scope): Expression {
  return scope.dialect === "segment" ? scope.compile(argument, scope) : scope.literal(argument, scope);
}

/** A path may itself be computed; then it is compiled when its text is known. */
function compilePathDirective(argument: unknown, scope: Scope): Expression {
  if (typeof argument === "string") return compilePath(argument, scope.dialect);
  if (typeof argument !== "object" || argument === null)
    return complain(scope, `found ${describe(argument)}; a path like "$.traits.plan" is allowed`);
  const text = scope.compile(argument, scope);
  return (data) => {
    const path = text(data);
    return typeof path === "string" ? compilePath(path, scope.dialect)(data) : undefined;
  };
}
