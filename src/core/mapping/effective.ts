/** The rules that hold when a mapping is laid over those it extends. */

import { changedRule, type EffectiveRule, type Place, type Placed, ruleAlone } from "./effective-rule.ts";
import type { RuleForm } from "./form.ts";
import type { Layer } from "./layers.ts";
import { complainAt, noRule, positionOf, targetOf } from "./rule-placing.ts";

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

function applyLayer(below: EffectiveFile, layer: Layer): EffectiveFile {
  const { form } = layer;
  if (!form) return below;
  const groupTypes = form.groupTypes ? groupTypesIn(layer, "groupTypes") : below.groupTypes;
  const groups = Object.entries(form.groups).map(
    ([key, value]) => [key, { value, layer, at: ["groups", key] }] as const,
  );
  const rules = [...below.rules];
  const others = rules.map(({ name }) => name);
  for (const [index, rule] of form.rules.entries())
    if (rule) applyRule(rules, rule, { layer, at: ["rules", index] }, others);
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

function applyRule(rules: EffectiveRule[], form: RuleForm, place: Place, others: readonly string[]): void {
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
  const effective = known ? changedRule(known, form, place) : { ...ruleAlone(form, place), others };
  const target = targetOf(rules, rule, place);
  if (known) rules.splice(index, 1);
  if (known && target === null) rules.splice(index, 0, effective);
  else rules.splice(positionOf(rules, effective, target), 0, effective);
}
