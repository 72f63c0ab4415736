/** The rules of a mapping compiled, and applied. */

import { groupTypeProblem, MAX_GROUP_TYPES } from "../group.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import type { MessageProblem } from "../message.ts";
import type { EffectiveRule, PartName, Placed } from "./effective.ts";
import { compilePart } from "./expression.ts";
import { type Condition, compileCondition } from "./fql/condition.ts";
import type { Layer } from "./layers.ts";
import type { Mapped } from "./mapping.ts";
import { eventOutput, groupIdentifyOutput, type Made, type Output } from "./outputs.ts";
import { compileRootTransform, ROOT_DIRECTIVE } from "./root-directive.ts";
import type { Run } from "./run.ts";
import { complain, describe, type Expression, inside, nothing, type Scope, suggestion } from "./scope.ts";
import { joinOutput, membershipOutput } from "./statements.ts";

export interface Rule {
  readonly name: string;
  readonly when: Condition;
  readonly outputs: readonly Output[];
}

/** The scope in which a layer's parts are compiled. */
export type ScopeOf = (layer: Layer) => Scope;

export function compileRule(rule: EffectiveRule, scopeOf: ScopeOf): Rule {
  const { name, parts, layer, at } = rule;
  const here = inside(scopeOf(layer), ...at);
  const context = { rule: name, groupTypes: new Set(here.groupTypes) };
  const outputs: Output[] = [];
  const compiled: CompiledParts = new Map();
  const readersOf = (output: OutputName) => readers(rule, output, { scopeOf, compiled });
  if (has(rule, "groupIdentify")) {
    const { needed, optional, around } = readersOf("groupIdentify");
    const hasAliases = parts.has("groupIdentify.aliases");
    const read = {
      groupType: needed("groupType"),
      groupKey: hasAliases ? optional("groupKey") : needed("groupKey"),
      properties: optional("properties"),
      aliases: optional("aliases"),
      mergedAliases: optional("mergedAliases"),
      fallbackKey: optional("fallbackKey"),
    };
    outputs.push(around(groupIdentifyOutput(read, { ...context, hasAliases })));
  }
  if (has(rule, "event")) {
    const { needed, optional, around } = readersOf("event");
    const ids = { name: needed("name"), distinctId: needed("distinctId") };
    const groups = { groups: optional("groups"), groupsOf: optional("groupsOf") };
    outputs.push(around(eventOutput({ ...ids, properties: optional("properties"), ...groups }, context)));
  }
  if (has(rule, "membership")) {
    const { needed, optional, around } = readersOf("membership");
    const group = { groupType: needed("groupType"), groupKey: optional("groupKey") };
    outputs.push(around(membershipOutput({ of: needed("of"), ...group, leaves: optional("leaves") }, context)));
  }
  if (has(rule, "join")) {
    const { needed, around } = readersOf("join");
    outputs.push(around(joinOutput({ id: needed("id"), earlierId: needed("earlierId") })));
  }
  const reject = parts.get("reject")?.value as MessageProblem | undefined;
  if (reject) outputs.push((_data, _run, { problems }) => problems.push(reject));
  if (outputs.length === 0 && rule.unread.size === 0)
    complain(here, `groupIdentify, event, membership, join or reject is missing${anotherThan(rule)}`);
  return { name, when: compileWhen(parts.get("when"), scopeOf), outputs };
}

/** What can be checked of a rule of which nobody knows what it changes. */
export function compilePartsAlone({ name, parts }: EffectiveRule, scopeOf: ScopeOf): void {
  for (const [part, placed] of parts) {
    if (part === "when") compileWhen(placed, scopeOf);
    else if (part.endsWith(`.${ROOT_DIRECTIVE}`)) compileRootTransform(placed.value, scopeIn(placed, name, scopeOf));
    else if (part !== "reject") compilePart(placed.value, scopeIn(placed, name, scopeOf));
  }
}

/** What the first rule that wants the payload makes of it. Never throws. */
export function applyRules(rules: readonly Rule[], payload: JsonObject, given: Omit<Run, "refusal">): Mapped {
  const made: Made = { drafts: [], statements: [], problems: [] };
  let name: string | null = null;
  try {
    const rule = rules.find(({ when }) => when(payload));
    if (!rule) {
      made.problems.push({ reason: "no_rule", detail: `No rule applies: type is ${describe(payload.type)}.` });
      return { rule: null, ...made };
    }
    name = rule.name;
    const run: Run = { groups: given.groups, receivedAt: given.receivedAt, refusal: null };
    for (const output of rule.outputs) {
      run.refusal = null;
      output(payload, run, made);
    }
    return { rule: name, ...made };
  } catch (thrown) {
    // What is nested too deeply for the stack comes here.
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    return { rule: name, drafts: [], statements: [], problems: [{ reason: "mapping_failed", detail }] };
  }
}

export function checkGroupTypes(groupTypes: readonly Placed<string>[], scopeOf: ScopeOf): void {
  const seen = new Set<string>();
  for (const [index, { value, layer, at }] of groupTypes.entries()) {
    const scope = inside(scopeOf(layer), ...at);
    const problem = groupTypeProblem(value);
    if (problem) complain(scope, `found ${describe(value)}; ${problem}`);
    if (seen.has(value)) complain(scope, `${describe(value)} is written twice`);
    seen.add(value);
    if (index === MAX_GROUP_TYPES)
      complain(scope, `found a sixth group type; ${MAX_GROUP_TYPES} are allowed, as in PostHog`);
  }
}

type OutputName = "groupIdentify" | "event" | "membership" | "join";

function has({ parts }: EffectiveRule, output: OutputName): boolean {
  return [...parts.keys()].some((part) => part.startsWith(`${output}.`));
}

interface Readers {
  needed(key: string): Expression;
  optional(key: string): Expression;
  /** Lets the output read what the root directive makes, if there is one. */
  around(output: Output): Output;
}

/** Of a rule: a part that two outputs read is compiled once. */
type CompiledParts = Map<Placed<unknown>, Expression>;

function readers(
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

function scopeIn(part: Placed<unknown>, name: string, scopeOf: ScopeOf): Scope {
  return { ...inside(scopeOf(part.layer), ...part.at), rule: name };
}

/** For a new rule of a mapping that extends another, which was perhaps to change one that is there. */
function anotherThan({ name, others }: EffectiveRule): string {
  const near = suggestion(name, others);
  return near === "" ? "" : `; no rule ${JSON.stringify(name)} is there to be changed.${near}`;
}

function compileWhen(when: Placed<unknown> | undefined, scopeOf: ScopeOf): Condition {
  if (typeof when?.value !== "string") return () => true;
  return compileCondition(when.value, inside(scopeOf(when.layer), ...when.at));
}
