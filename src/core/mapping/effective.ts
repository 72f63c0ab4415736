/** The rules that hold when a mapping is laid over those it extends, every part with the place it was written at. */

import { conditionClauses, covers } from "./coverage.ts";
import type { RuleFile } from "./file-schema.ts";
import type { RuleForm } from "./form.ts";
import type { Clause } from "./fql/clauses.ts";
import type { Layer } from "./layers.ts";
import { ROOT_DIRECTIVE } from "./root-directive.ts";
import { type PathSegment, suggestion } from "./scope.ts";

export interface Placed<Value> {
  readonly value: Value;
  readonly layer: Layer;
  readonly at: readonly PathSegment[];
}

/** In the order in which they are shown. */
export const PARTS = [
  "when",
  `groupIdentify.${ROOT_DIRECTIVE}`,
  "groupIdentify.groupType",
  "groupIdentify.groupKey",
  "groupIdentify.aliases",
  "groupIdentify.mergedAliases",
  "groupIdentify.fallbackKey",
  "groupIdentify.properties",
  `event.${ROOT_DIRECTIVE}`,
  "event.name",
  "event.distinctId",
  "event.properties",
  "event.groups",
  "event.groupsOf",
  `membership.${ROOT_DIRECTIVE}`,
  "membership.of",
  "membership.groupType",
  "membership.groupKey",
  "membership.leaves",
  `join.${ROOT_DIRECTIVE}`,
  "join.id",
  "join.earlierId",
  "reject",
] as const;
export type PartName = (typeof PARTS)[number];

export interface EffectiveRule {
  readonly name: string;
  /** Where it was last written. */
  readonly layer: Layer;
  readonly at: readonly PathSegment[];
  readonly parts: ReadonlyMap<PartName, Placed<unknown>>;
  /** Where its form is wrong, so that something is left out: in an output, or ("") in the rule itself. */
  readonly unread: ReadonlySet<string>;
  /** Rules there before it was added by a mapping that extends another: it may be one of them that is meant. */
  readonly others: readonly string[];
}

export interface EffectiveFile {
  readonly groupTypes: readonly Placed<string>[];
  /** What is written under `groups`, each part where it was written last. */
  readonly groups: ReadonlyMap<string, Placed<unknown>>;
  readonly rules: readonly EffectiveRule[];
  /** False where a group type or a rule is left out, because its form is wrong. */
  readonly isWhole: boolean;
}

/** Layers as they were read: the file itself first. What cannot be laid over is added to its layer's problems. */
export function layOver(layers: readonly Layer[]): EffectiveFile {
  return layers.toReversed().reduce(applyLayer, { groupTypes: [], groups: new Map(), rules: [], isWhole: true });
}

/** As it is written, for a file that cannot be laid over anything. */
export function ruleAlone({ value: rule, unread }: RuleForm, place: Place): EffectiveRule {
  return { name: rule.name, ...place, parts: partsOf(rule, place), unread, others: [] };
}

function applyLayer(below: EffectiveFile, layer: Layer): EffectiveFile {
  const { form } = layer;
  if (!form) return below;
  const groupTypes = form.groupTypes ? groupTypesIn(layer, "groupTypes") : below.groupTypes;
  const groups = Object.entries(form.groups).map(
    ([key, value]) => [key, { value, layer, at: ["groups", key] }] as const,
  );
  const rules = [...below.rules];
  for (const [index, rule] of form.rules.entries()) if (rule) applyRule(rules, rule, { layer, at: ["rules", index] });
  return {
    groupTypes: [...groupTypes, ...groupTypesIn(layer, "addGroupTypes")],
    groups: new Map([...below.groups, ...groups]),
    rules,
    isWhole: below.isWhole && form.isWhole,
  };
}

/** Those a file writes there. */
export function groupTypesIn(layer: Layer, key: "groupTypes" | "addGroupTypes"): readonly Placed<string>[] {
  const place = (value: string | null, index: number) => (value === null ? [] : [{ value, layer, at: [key, index] }]);
  return (layer.form?.[key] ?? []).flatMap(place);
}

type Place = Pick<EffectiveRule, "layer" | "at">;

function applyRule(rules: EffectiveRule[], form: RuleForm, place: Place): void {
  const rule = form.value;
  const index = rules.findIndex(({ name }) => name === rule.name);
  const known = rules[index];
  if (known?.layer === place.layer)
    return void complainAt(place, `a rule ${JSON.stringify(rule.name)} is written before`);
  if ("remove" in rule && rule.remove) {
    if (known) rules.splice(index, 1);
    else complainAt(place, noRule(rule.name, rules));
    return;
  }
  const alone = ruleAlone(form, place);
  const effective = known
    ? { ...alone, parts: changed(known.parts, rule, place), unread: new Set([...known.unread, ...alone.unread]) }
    : { ...alone, others: rules.filter(({ layer }) => layer !== place.layer).map(({ name }) => name) };
  const target = targetOf(rules, rule, place);
  if (known) rules.splice(index, 1);
  if (known && target === null) rules.splice(index, 0, effective);
  else rules.splice(positionOf(rules, effective, target), 0, effective);
}

interface Target {
  readonly name: string;
  readonly offset: 0 | 1;
}

function targetOf(rules: readonly EffectiveRule[], rule: RuleFile, place: Place): Target | null {
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
function positionOf(rules: readonly EffectiveRule[], rule: EffectiveRule, target: Target | null): number {
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

function partsOf(rule: RuleFile, place: Place): ReadonlyMap<PartName, Placed<unknown>> {
  const parts = new Map<PartName, Placed<unknown>>();
  for (const part of PARTS) {
    const [output = "", key] = part.split(".");
    const whole = ownOf(rule, output);
    const value = key === undefined ? whole : ownOf(whole, key);
    const at = [...place.at, output, ...(key === undefined ? [] : [key])];
    if (value !== undefined && (value !== null || key !== undefined))
      parts.set(part, { value, layer: place.layer, at });
  }
  return parts;
}

/** What the rule says null of is gone; of the rest its own words count. */
function changed(known: EffectiveRule["parts"], rule: RuleFile, place: Place): EffectiveRule["parts"] {
  const kept = [...known].filter(([part]) => ownOf(rule, part.split(".", 1)[0] ?? part) !== null);
  return new Map([...kept, ...partsOf(rule, place)]);
}

function ownOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Object.getOwnPropertyDescriptor(value, key)?.value : undefined;
}

const MOST_NAMES = 30;

function noRule(name: string, rules: readonly EffectiveRule[]): string {
  const names = rules.map((rule) => rule.name);
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  const listed = `${names.slice(0, MOST_NAMES).join(", ")}${more}`;
  return `found no rule ${JSON.stringify(name)}; ${listed} are there.${suggestion(name, names)}`;
}

function complainAt({ layer, at }: Place, message: string): void {
  layer.problems.push({ at, severity: "error", message });
}
