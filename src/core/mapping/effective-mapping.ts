/** What a mapping comes to once it is laid over those it extends, to be shown: every part with where it was written. */

import type { JsonValue } from "../json.ts";
import { compileMapping } from "./compile.ts";
import { layOver } from "./effective.ts";
import { type EffectiveRule, PARTS, type PartName, type Placed } from "./effective-rule.ts";
import type { MappingSource } from "./environment.ts";
import { readLayers } from "./layers.ts";
import type { Dialect } from "./scope.ts";

export interface Origin {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly dialect: Dialect;
}

export interface ShownPart {
  /** As in `groupIdentify.groupKey`. */
  readonly part: PartName;
  readonly value: JsonValue;
  readonly from: Origin;
}

export interface ShownRule {
  readonly name: string;
  readonly from: Origin;
  /** In one order for all rules; the condition first. */
  readonly parts: readonly ShownPart[];
}

export interface EffectiveMapping {
  readonly groupTypes: readonly { readonly value: string; readonly from: Origin }[];
  /** What is written under `groups`, by name. */
  readonly groups: readonly { readonly name: string; readonly value: JsonValue; readonly from: Origin }[];
  /** In the order in which they are tried. */
  readonly rules: readonly ShownRule[];
}

/** @throws MAPPING_INVALID if the mapping does not compile. */
export function effectiveMapping(source: MappingSource): EffectiveMapping {
  compileMapping(source);
  const { groupTypes, groups, rules } = layOver(readLayers(source));
  return {
    groupTypes: groupTypes.map((groupType) => ({ value: groupType.value, from: originOf(groupType) })),
    groups: [...groups].map(([name, placed]) => ({
      name,
      value: placed.value as JsonValue, // As of a part.
      from: originOf(placed),
    })),
    rules: rules.map(shownRule),
  };
}

function shownRule(rule: EffectiveRule): ShownRule {
  const parts = PARTS.flatMap((part) => {
    const placed = rule.parts.get(part);
    // It came from YAML and compiled, so it is JSON.
    return placed ? { part, value: placed.value as JsonValue, from: originOf(placed) } : [];
  });
  return { name: rule.name, from: originOf(rule), parts };
}

function originOf({ layer, at }: Pick<Placed<unknown>, "layer" | "at">): Origin {
  return { file: layer.file, line: layer.lineOf(at), dialect: layer.dialect };
}
