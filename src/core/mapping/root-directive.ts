/** Segment's root directive: one directive that stands beside the fields of a mapping and gets them as its `mapping`. */

import type { JsonObject } from "../json.ts";
import { isJsonObject } from "../json.ts";
import { complain, describe, type Expression, inside, type Scope } from "./scope.ts";

export const ROOT_DIRECTIVE = "__segment_internal_directive";

export function hasRootDirective(value: JsonObject): boolean {
  return Object.hasOwn(value, ROOT_DIRECTIVE);
}

/** `{ __segment_internal_directive: { "@transform": { apply } }, …fields }` is `{ "@transform": { apply, mapping: fields } }`. */
export function compileRootDirective(value: JsonObject, scope: Scope): Expression {
  const { [ROOT_DIRECTIVE]: root, ...fields } = value;
  const at = inside(scope, ROOT_DIRECTIVE);
  const directive = readRootDirective(root, at);
  if (!directive) return () => undefined;
  const { name, argument } = directive;
  return scope.compile({ [name]: { ...argument, mapping: fields } }, at);
}

/** What the parts of an output read instead of the record. */
export function compileRootTransform(root: unknown, scope: Scope): Expression {
  const directive = readRootDirective(root, scope);
  if (!directive) return () => undefined;
  if (directive.name !== "@transform") {
    return complain(inside(scope, directive.name), "around the parts of an output only @transform is allowed");
  }
  const { apply } = directive.argument;
  return scope.compile({ "@transform": { apply, mapping: { "@path": "$." } } }, scope);
}

interface RootDirective {
  readonly name: string;
  readonly argument: JsonObject;
}

function readRootDirective(root: unknown, scope: Scope): RootDirective | null {
  const [entry, second] = isJsonObject(root) ? Object.entries(root) : [];
  if (entry && !second) {
    const [name, argument] = entry;
    if (isJsonObject(argument)) return { name, argument };
  }
  complain(scope, `found ${describe(root)}; an object with one directive whose argument is an object is allowed`);
  return null;
}
