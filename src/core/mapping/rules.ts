/** The rules of a mapping compiled, and what is wrong with them beside their values. */

import { groupTypeProblem } from "../group.ts";
import type { JsonObject } from "../json.ts";
import type { MessageDraft, MessageProblem } from "../message.ts";
import type { RuleFile } from "./file-schema.ts";
import { type Condition, compileCondition } from "./fql.ts";
import { FqlError } from "./fql-tokens.ts";
import type { Mapped } from "./mapping.ts";
import { compileEvent, compileGroupIdentify, type Output } from "./outputs.ts";
import { complain, describe, inside, type Scope } from "./scope.ts";

export interface Rule {
  readonly name: string;
  readonly when: Condition;
  readonly outputs: readonly Output[];
}

/** `scope` is where the rule stands in the file. */
export function compileRule(rule: RuleFile, scope: Scope, groupTypes: ReadonlySet<string>): Rule {
  const { name, groupIdentify, event, reject } = rule;
  const context = { rule: name, groupTypes };
  const outputs: Output[] = [];
  if (groupIdentify) outputs.push(compileGroupIdentify(groupIdentify, inside(scope, "groupIdentify"), context));
  if (event) outputs.push(compileEvent(event, inside(scope, "event"), context));
  if (reject) outputs.push((_data, _drafts, problems) => problems.push(reject));
  if (outputs.length === 0) complain(scope, "groupIdentify, event or reject is missing");
  return { name, when: compileWhen(rule.when, inside(scope, "when")), outputs };
}

/** What the first rule that wants the payload makes of it. Never throws. */
export function applyRules(rules: readonly Rule[], payload: JsonObject): Mapped {
  const drafts: MessageDraft[] = [];
  const problems: MessageProblem[] = [];
  try {
    const rule = rules.find(({ when }) => when(payload));
    if (rule) for (const output of rule.outputs) output(payload, drafts, problems);
    else problems.push({ reason: "no_rule", detail: `No rule applies: type is ${describe(payload.type)}.` });
    return { drafts, problems };
  } catch (thrown) {
    // What is nested too deeply for the stack comes here.
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    return { drafts: [], problems: [{ reason: "mapping_failed", detail }] };
  }
}

export function checkGroupTypes(groupTypes: readonly string[], scope: Scope): void {
  for (const [index, groupType] of groupTypes.entries()) {
    const at = inside(scope, "groupTypes", index);
    const problem = groupTypeProblem(groupType);
    if (problem) complain(at, `found ${describe(groupType)}; ${problem}`);
    if (groupTypes.indexOf(groupType) < index) complain(at, `${describe(groupType)} is written twice`);
  }
}

/** Complains of rules that can never be the first whose condition holds. */
export function checkReachable(rules: readonly RuleFile[], scope: Scope): void {
  for (const [index, { when }] of rules.entries()) {
    const earlier = rules.slice(0, index).find((other) => other.when === undefined || other.when === when);
    if (!earlier) continue;
    const why = earlier.when === undefined ? "applies always" : "has the same condition";
    complain(inside(scope, "rules", index), `never reached: rule "${earlier.name}" before it ${why}`);
  }
}

function compileWhen(when: string | undefined, scope: Scope): Condition {
  if (when === undefined) return () => true;
  try {
    return compileCondition(when);
  } catch (thrown) {
    if (!(thrown instanceof FqlError)) throw thrown;
    complain(scope, `${thrown.message} (character ${thrown.at + 1})`);
    return () => false;
  }
}
