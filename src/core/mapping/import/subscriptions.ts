/** Turns the subscriptions of a Segment destination into a prickle mapping, and tells what it could not carry over. */

import type { JsonObject } from "../../json.ts";
import { checkMapping } from "../compile.ts";
import { covers } from "../coverage.ts";
import { type Clause, clausesOf, mayHoldTogether } from "../fql/clauses.ts";
import { differencesFromSegment } from "../fql/differences.ts";
import { FqlError } from "../fql/tokens.ts";
import { type FqlNode, parseFql } from "../fql/tree.ts";
import { outputsOf } from "./actions.ts";
import { readSubscriptions, type Subscription } from "./reading.ts";
import { mappingText } from "./writing.ts";

export interface ImportNote {
  /** Name of the subscription; null for the destination as a whole. */
  readonly subscription: string | null;
  /** What was not carried over, or is otherwise, in one sentence. */
  readonly message: string;
}

export interface ImportedMapping {
  /** YAML of a mapping that compiles, in Segment's dialect. */
  readonly text: string;
  readonly notes: readonly ImportNote[];
}

/**
 * Takes what Segment's Public API answers for a destination's subscriptions, or their list alone; keys in camel or snake
 * case. Segment runs every subscription whose trigger matches, prickle the first rule: where that matters a note says so.
 * @throws INPUT_INVALID if there are no subscriptions in it.
 */
export function importSubscriptions(json: unknown): ImportedMapping {
  const notes: ImportNote[] = [];
  const rules: ImportedRule[] = [];
  for (const subscription of readSubscriptions(json)) {
    const note = (message: string) => void notes.push({ subscription: subscription.name, message });
    const rule = ruleOf(subscription, note);
    if (rule) addRule(rules, rule, note);
  }
  for (const rule of rules) noteOverlaps(rule, rules, notes);
  if (rules.length === 0)
    notes.push({ subscription: null, message: "Nothing could be carried over: every call is rejected." });
  return { text: mappingText(rules), notes };
}

type Note = (message: string) => void;

export interface ImportedRule {
  readonly name: string;
  readonly when: string;
  readonly clauses: readonly Clause[] | null;
  /** `groupIdentify`, `event` or both. */
  readonly outputs: JsonObject;
}

function ruleOf(subscription: Subscription, note: Note): ImportedRule | null {
  const { name, isEnabled, trigger, settings } = subscription;
  if (!isEnabled) return leftOut(note, "It is disabled");
  const tree = treeOf(trigger, note);
  if (!tree) return null;
  const clauses = clausesOf(tree);
  if (clauses?.length === 0) return leftOut(note, "Its trigger never holds");
  if (!settings) return leftOut(note, "Its settings cannot be read: they are no object, and no JSON text of one");
  const outputs = outputsOf(subscription, settings, note);
  if (!outputs) return null;
  for (const { message } of differencesFromSegment(tree))
    note(`Its trigger: ${message}. prickle reads it as it is written.`);
  const rule = { name, when: trigger, clauses, outputs };
  const [error] = errorsOf([rule]);
  return error === undefined ? rule : leftOut(note, `prickle cannot run it (${error})`);
}

function treeOf(trigger: string, note: Note): FqlNode | null {
  try {
    return parseFql(trigger);
  } catch (thrown) {
    if (!(thrown instanceof FqlError)) throw thrown;
    return leftOut(note, `Its trigger cannot be read: ${thrown.message} (character ${thrown.at + 1})`);
  }
}

/** The narrower rule stands before the wider one, else it would never be reached; of two with one trigger one is made. */
function addRule(rules: ImportedRule[], rule: ImportedRule, note: Note): void {
  const same = rules.findIndex((other) => isWithin(rule, other) && isWithin(other, rule));
  const known = rules[same];
  if (known) {
    const twice = Object.keys(rule.outputs).filter((output) => output in known.outputs);
    if (twice.length > 0)
      return void leftOut(note, `A rule makes one ${twice.join(" and ")}, and "${known.name}" has the same trigger`);
    rules[same] = { ...known, outputs: { ...known.outputs, ...rule.outputs } };
    return void note(`It has the trigger of "${known.name}" and became a part of that rule.`);
  }
  const named = { ...rule, name: freeName(rule.name, rules) };
  const wider = rules.findIndex((other) => isWithin(rule, other));
  const placed = rules.toSpliced(wider < 0 ? rules.length : wider, 0, named);
  const [error] = errorsOf(placed);
  if (error !== undefined) return void leftOut(note, `With the others prickle cannot run it (${error})`);
  rules.splice(0, rules.length, ...placed);
}

function isWithin(narrow: ImportedRule, wide: ImportedRule): boolean {
  return wide.when === narrow.when || covers(wide.clauses, narrow.clauses);
}

function noteOverlaps(rule: ImportedRule, rules: readonly ImportedRule[], notes: ImportNote[]): void {
  const earlier = rules.slice(0, rules.indexOf(rule)).filter((other) => mayMatchTogether(rule, other));
  for (const { name } of earlier) {
    const message = `Calls that "${name}" wants too go to "${name}" alone: Segment would run both.`;
    notes.push({ subscription: rule.name, message });
  }
}

function mayMatchTogether(rule: ImportedRule, other: ImportedRule): boolean {
  if (!rule.clauses || !other.clauses) return true;
  return rule.clauses.some((clause) => other.clauses?.some((one) => mayHoldTogether(clause, one)));
}

function errorsOf(rules: readonly ImportedRule[]): readonly string[] {
  const problems = checkMapping({ name: "import", file: "import.yaml", text: mappingText(rules) });
  return problems.filter(({ severity }) => severity === "error").map(({ path, message }) => `${path}: ${message}`);
}

function leftOut(note: Note, why: string): null {
  note(`${why}: it is left out.`);
  return null;
}

function freeName(name: string, rules: readonly ImportedRule[]): string {
  const taken = new Set([...rules.map((rule) => rule.name), "the rest"]);
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${name} (${number})`;
  return free;
}
