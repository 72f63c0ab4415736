/** From the text of a mapping file to a mapping, or to every problem of it. */

import { PrickleError } from "../errors.ts";
import { type GroupRead, NO_KNOWN_GROUPS } from "../known-groups.ts";
import { checkRules } from "./check-rules.ts";
import { type EffectiveFile, groupTypesIn, layOver } from "./effective.ts";
import { ruleAlone } from "./effective-rule.ts";
import type { MappingSource } from "./environment.ts";
import { rootScope } from "./expression.ts";
import { groupRulesOf, usesMemberships } from "./group-rules.ts";
import { isComplete, type Layer, readLayers, type ScopeOf } from "./layers.ts";
import type { Mapping } from "./mapping.ts";
import { type MappingProblem, mappingProblemLine } from "./mapping-text.ts";
import { applyRules, checkGroupTypes, compilePartsAlone, compileRule } from "./rules.ts";
import { complain, inside, type Scope } from "./scope.ts";

export type { MappingEnvironment, MappingSource } from "./environment.ts";
export type { MappingProblem } from "./mapping-text.ts";

/** @throws MAPPING_INVALID with every error, one a line, each with file, line and column. Warnings do not count. */
export function compileMapping(source: MappingSource): Mapping {
  const { mapping, problems } = compileSource(source);
  if (mapping) return mapping;
  const errors = problems.filter(({ severity }) => severity === "error");
  throw new PrickleError(
    "MAPPING_INVALID",
    `The mapping ${source.file} is wrong:\n${errors.map(mappingProblemLine).join("\n")}`,
    {
      hint: "Mend each place named; `prickle check` prints the same list.",
    },
  );
}

/** Every problem of a mapping, in the order of its lines, then those of the mappings it extends; no error means that it compiles. Never throws. */
export function checkMapping(source: MappingSource): readonly MappingProblem[] {
  return compileSource(source).problems;
}

interface Compiled {
  /** Null when there is an error. */
  readonly mapping: Mapping | null;
  readonly problems: readonly MappingProblem[];
}

function compileSource(source: MappingSource): Compiled {
  const layers = readLayers(source);
  const mapping = isComplete(layers) ? compileLayers(source.name, layers) : null;
  if (!isComplete(layers)) for (const layer of layers) checkAlone(layer);
  const problems = layers.flatMap((layer) => layer.place(layer.problems));
  return { mapping: problems.some(({ severity }) => severity === "error") ? null : mapping, problems };
}

function compileLayers(name: string, layers: readonly Layer[]): Mapping {
  const file = layOver(layers);
  const groupTypes = file.groupTypes.map(({ value }) => value);
  const groupReads: GroupRead[] = [];
  const scopeOf = (layer: Layer) => scopeAt(layer, groupTypes, groupReads);
  checkGroupTypes(file.groupTypes, scopeOf);
  const [top] = layers;
  if (top && file.isWhole && file.rules.length === 0) complain(inside(scopeOf(top), "rules"), "no rule is left");
  const rules = isTooMany(file, scopeOf) ? [] : file.rules.map((rule) => compileRule(rule, scopeOf));
  if (rules.length > 0) checkRules(file, scopeOf);
  return {
    name,
    groupTypes,
    groupRules: groupRulesOf(file, groupTypes),
    usesMemberships: usesMemberships(file),
    groupReads,
    apply: ({ payload, receivedAt }, groups = NO_KNOWN_GROUPS) => applyRules(rules, payload, { groups, receivedAt }),
  };
}

const MOST_RULES = 1000;

/** Such a mapping is not looked into any further. */
function isTooMany({ rules }: EffectiveFile, scopeOf: ScopeOf): boolean {
  const [first] = rules;
  if (!first || rules.length <= MOST_RULES) return false;
  complain(inside(scopeOf(first.layer), "rules"), `found ${rules.length} rules; ${MOST_RULES} are allowed`);
  return true;
}

function scopeAt(layer: Layer, groupTypes: readonly string[], groupReads: GroupRead[]): Scope {
  return rootScope({ ...layer, groupTypes, groupReads });
}

/** What can be checked of a file although nobody knows what it stands over. */
function checkAlone(layer: Layer): void {
  const scopeOf = () => scopeAt(layer, [], []);
  for (const key of ["groupTypes", "addGroupTypes"] as const) checkGroupTypes(groupTypesIn(layer, key), scopeOf);
  for (const [index, rule] of (layer.form?.rules ?? []).entries())
    if (rule) compilePartsAlone(ruleAlone(rule, { layer, at: ["rules", index] }), scopeOf);
}
