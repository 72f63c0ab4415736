/** The parts of a rule as its outputs read them: compiled, each in the scope of the file it is written in. */

import type { JsonValue } from "../json.ts";
import type { EffectiveRule, PartName, Placed } from "./effective-rule.ts";
import { compilePart } from "./expression.ts";
import type { ScopeOf } from "./layers.ts";
import type { Output } from "./outputs.ts";
import { compileRootTransform, ROOT_DIRECTIVE } from "./root-directive.ts";
import { complain, describe, type Expression, inside, nothing, type Scope, suggestion } from "./scope.ts";

export type OutputName = "groupIdentify" | "event" | "membership" | "join";

export function has({ parts }: EffectiveRule, output: OutputName): boolean {
  return [...parts.keys()].some((part) => part.startsWith(`${output}.`));
}

export interface Readers {
  needed(key: string): Expression;
  optional(key: string): Expression;
  /** Lets the output read what the root directive makes, if there is one. */
  around(output: Output): Output;
}

/** Of a rule: a part that two outputs read is compiled once. */
export type CompiledParts = Map<Placed<unknown>, Expression>;

export function readers(
  rule: EffectiveRule,
  output: OutputName,
  { scopeOf, compiled }: { readonly scopeOf: ScopeOf; readonly compiled: CompiledParts },
): Readers {
  const { name, parts, layer, at, unread } = rule;
  // Whoever is in the group that a rule identifies need not say its name again.
  const outputs = output === "membership" ? [output, "groupIdentify"] : [output];
  const partOf = (key: string) =>
    outputs.map((one) => parts.get(`${one}.${key}` as PartName)).find((part) => part !== undefined);
  const scopeAt = (part: Placed<unknown>): Scope => scopeIn(part, name, scopeOf);
  const optional = (key: string) => {
    const part = partOf(key);
    if (!part) return nothing;
    const expression = compiled.get(part) ?? compilePart(part.value, scopeAt(part));
    compiled.set(part, expression);
    return expression;
  };
  return {
    optional,
    needed(key) {
      const part = partOf(key);
      if (!part && !unread.has(output))
        complain(inside(scopeOf(layer), ...at, output), `"${key}" is missing${anotherThan(rule)}`);
      if (part && (part.value === null || part.value === ""))
        complain(scopeAt(part), `found ${describe(part.value)}; without a ${key} nothing comes of it`);
      return optional(key);
    },
    around(inner) {
      const root = partOf(ROOT_DIRECTIVE);
      if (!root) return inner;
      const apply = compileRootTransform(root.value, scopeAt(root));
      return (data: JsonValue | undefined, run, made) => inner(apply(data, run), run, made);
    },
  };
}

export function scopeIn(part: Placed<unknown>, name: string, scopeOf: ScopeOf): Scope {
  return { ...inside(scopeOf(part.layer), ...part.at), rule: name };
}

/** For a new rule of a mapping that extends another, which was perhaps to change one that is there. */
export function anotherThan({ name, others }: EffectiveRule): string {
  const near = suggestion(name, others);
  return near === "" ? "" : `; no rule ${JSON.stringify(name)} is there to be changed.${near}`;
}
