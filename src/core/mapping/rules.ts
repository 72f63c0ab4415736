/** The rules of a mapping compiled, and applied. */

import { groupTypeProblem, MAX_GROUP_TYPES } from "../group.ts";
import type { JsonObject } from "../json.ts";
import type { MessageProblem } from "../message.ts";
import type { EffectiveRule, PartName, Placed } from "./effective-rule.ts";
import { compilePart } from "./expression.ts";
import { type Condition, compileCondition } from "./fql/condition.ts";
import type { ScopeOf } from "./layers.ts";
import type { Mapped } from "./mapping.ts";
import { eventOutput, groupIdentifyOutput, type Made, type Output } from "./outputs.ts";
import { compileRootTransform, ROOT_DIRECTIVE } from "./root-directive.ts";
import { anotherThan, type CompiledParts, has, type OutputName, readers, scopeIn } from "./rule-parts.ts";
import type { Run } from "./run.ts";
import { complain, describe, inside } from "./scope.ts";
import { joinOutput, membershipOutput } from "./statements.ts";

export interface Rule {
  readonly name: string;
  readonly when: Condition;
  readonly outputs: readonly Output[];
}

/** Without them the group is the one that the rule identifies. */
const MEMBERSHIP_GROUP: readonly PartName[] = ["membership.groupType", "membership.groupKey"];

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
    const read = { of: needed("of"), leaves: optional("leaves") };
    const isThatOfIdentify = has(rule, "groupIdentify") && !MEMBERSHIP_GROUP.some((part) => parts.has(part));
    const group = isThatOfIdentify ? null : { groupType: needed("groupType"), groupKey: optional("groupKey") };
    outputs.push(around(membershipOutput({ ...read, group }, context)));
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

function compileWhen(when: Placed<unknown> | undefined, scopeOf: ScopeOf): Condition {
  if (typeof when?.value !== "string") return () => true;
  return compileCondition(when.value, inside(scopeOf(when.layer), ...when.at));
}
