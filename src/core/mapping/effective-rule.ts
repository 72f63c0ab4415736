/** A rule with all its parts, each with the place it was written at. */

import type { RuleFile } from "./file-schema.ts";
import type { RuleForm } from "./form.ts";
import type { Layer } from "./layers.ts";
import { ROOT_DIRECTIVE } from "./root-directive.ts";
import type { PathSegment } from "./scope.ts";

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

/** Where a rule is written. */
export type Place = Pick<EffectiveRule, "layer" | "at">;

/** As it is written, for a file that cannot be laid over anything. */
export function ruleAlone({ value: rule, unread }: RuleForm, place: Place): EffectiveRule {
  return { name: rule.name, ...place, parts: partsOf(rule, place), unread, others: [] };
}

/** What the rule says null of is gone; of the rest its own words count. */
export function changedRule(known: EffectiveRule, form: RuleForm, place: Place): EffectiveRule {
  const alone = ruleAlone(form, place);
  const kept = [...known.parts].filter(([part]) => ownOf(form.value, part.split(".", 1)[0] ?? part) !== null);
  return {
    ...alone,
    parts: new Map([...kept, ...alone.parts]),
    unread: new Set([...known.unread, ...alone.unread]),
  };
}

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

function ownOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Object.getOwnPropertyDescriptor(value, key)?.value : undefined;
}
