/** Where among the rules that are there a rule stands. */

import { conditionClauses, covers } from "./coverage.ts";
import type { EffectiveRule, Place, Placed } from "./effective-rule.ts";
import type { RuleFile } from "./file-schema.ts";
import type { Clause } from "./fql/clauses.ts";
import { suggestion } from "./scope.ts";

export interface Target {
  readonly name: string;
  readonly offset: 0 | 1;
}

/** What the rule says of it; null: nothing. */
export function targetOf(rules: readonly EffectiveRule[], rule: RuleFile, place: Place): Target | null {
  const before = "before" in rule ? rule.before : undefined;
  const after = "after" in rule ? rule.after : undefined;
  const name = before ?? after;
  if (name === undefined) return null;
  if (before !== undefined && after !== undefined) complainAt(place, 'either "before" or "after" is allowed');
  if (name !== rule.name && rules.some((one) => one.name === name))
    return { name, offset: before === undefined ? 1 : 0 };
  complainAt({ ...place, at: [...place.at, before === undefined ? "after" : "before"] }, noRule(name, rules));
  return null;
}

/** Without a word about it, a new rule stands before the first that wants all it wants, for after that it would never be reached. */
export function positionOf(rules: readonly EffectiveRule[], rule: EffectiveRule, target: Target | null): number {
  if (target) return rules.findIndex(({ name }) => name === target.name) + target.offset;
  const clauses = clausesOf(rule);
  const hides = (other: EffectiveRule) =>
    other.layer !== rule.layer && (!other.parts.has("when") || covers(clausesOf(other), clauses));
  const hiding = rules.findIndex(hides);
  return hiding < 0 ? rules.length : hiding;
}

function clausesOf({ parts }: EffectiveRule): readonly Clause[] | null {
  const when = parts.get("when");
  if (!when) return conditionClauses(undefined);
  const known = clausesByPart.get(when);
  const clauses = known === undefined ? conditionClauses(when.value) : known;
  clausesByPart.set(when, clauses);
  return clauses;
}

/** Each is asked for again with each rule that is added. */
const clausesByPart = new WeakMap<Placed<unknown>, readonly Clause[] | null>();

const MOST_NAMES = 30;

export function noRule(name: string, rules: readonly EffectiveRule[]): string {
  const names = rules.map((rule) => rule.name);
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  const listed = `${names.slice(0, MOST_NAMES).join(", ")}${more}`;
  return `found no rule ${JSON.stringify(name)}; ${listed} are there.${suggestion(name, names)}`;
}

export function complainAt({ layer, at }: Place, message: string): void {
  layer.problems.push({ at, severity: "error", message });
}
