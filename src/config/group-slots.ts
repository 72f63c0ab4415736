/** The group types of all sources in their slots, with what does not fit said where it is written. */

import { type GroupSlot, type ProjectGroupType, planGroupSlots, type SlotProblem } from "../core/group-slots.ts";
import { compileMapping, type MappingSource } from "../core/mapping/compile.ts";
import { effectiveMapping } from "../core/mapping/effective-mapping.ts";
import type { ConfigProblem } from "./problem.ts";

export interface NamedMapping {
  /** Of the source. */
  readonly name: string;
  readonly mapping: MappingSource;
}

export interface PlacedSlots {
  /** By index. */
  readonly slots: readonly GroupSlot[];
  readonly problems: readonly ConfigProblem[];
}

/**
 * By the rules of `planGroupSlots`; `project` is what the PostHog project has already.
 * @throws MAPPING_INVALID
 */
export function placeGroupSlots(sources: readonly NamedMapping[], project?: readonly ProjectGroupType[]): PlacedSlots {
  const declared = sources.map(({ name, mapping }) => {
    return { source: name, file: mapping.file, groupTypes: compileMapping(mapping).groupTypes };
  });
  const { slots, problems } = planGroupSlots(declared, project);
  return { slots, problems: problems.map((problem) => placed(problem, sources)) };
}

function placed(
  { source, file, groupType, found, allowed }: SlotProblem,
  sources: readonly NamedMapping[],
): ConfigProblem {
  const mapping = sources.find(({ name }) => name === source)?.mapping;
  const written = mapping && effectiveMapping(mapping).groupTypes.find(({ value }) => value === groupType);
  const place = { file: written?.from.file ?? file, line: written?.from.line ?? 1, column: 1, path: "groupTypes" };
  const hint = "Use one name where the same is meant, and leave out the types you need least.";
  return { severity: "error", ...place, found, allowed, hint };
}
