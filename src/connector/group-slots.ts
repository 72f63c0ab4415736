/** The slots of group types, as declared and in each PostHog project that can be asked: what `check` shows and a start requires. */

import { type Config, type ConfigProblem, placeGroupSlots, problemLine, type SourceConfig } from "../config.ts";
import { PrickleError } from "../core/errors.ts";
import type { GroupSlot } from "../core/group-slots.ts";
import type { Logger } from "../core/observer.ts";
import { type Project, type ProjectFailure, readProjects } from "./projects.ts";

export interface ExaminedSlots {
  readonly slots: readonly PlannedSlot[];
  /** In a mapping file each. */
  readonly problems: readonly ConfigProblem[];
  readonly failures: readonly ProjectFailure[];
}

export interface PlannedSlot extends GroupSlot {
  /** The destination whose project has been asked; null as declared, where none could be. */
  readonly destination: string | null;
}

/**
 * Asks the projects whose personal keys are known. Never rejects for what they answer.
 * @throws MAPPING_INVALID
 */
export async function examineSlots({ sources, destinations }: Config): Promise<ExaminedSlots> {
  const { projects, failures } = await readProjects(destinations);
  const plans = plansOf(sources, projects);
  return {
    slots: plans.flatMap(({ destination, slots }) => slots.map((slot) => ({ destination, ...slot }))),
    problems: plans.flatMap(({ problems }) => problems),
    failures,
  };
}

/** @throws CONFIG_INVALID, MAPPING_INVALID */
export function requireDeclaredSlots(sources: readonly SourceConfig[]): void {
  throwProblems(placeGroupSlots(sources).problems);
}

/**
 * The projects that answered; those that did not are logged, since a start must not depend on the network.
 * @throws CONFIG_INVALID if a project has no room for what is declared, MAPPING_INVALID
 */
export async function requireProjectSlots(
  { sources, destinations }: Config,
  logger: Logger,
): Promise<readonly Project[]> {
  const { projects, failures } = await readProjects(destinations);
  for (const failure of failures) {
    logger.warn(failure, "The group types of the PostHog project are not known; going on with those declared");
  }
  throwProblems(plansOf(sources, projects).flatMap(({ problems }) => problems));
  return projects;
}

function plansOf(sources: readonly SourceConfig[], projects: readonly Project[]) {
  if (projects.length === 0) return [{ destination: null, ...placeGroupSlots(sources) }];
  return projects.map(({ destination, groupTypes }) => ({ destination, ...placeGroupSlots(sources, groupTypes) }));
}

function throwProblems(problems: readonly ConfigProblem[]): void {
  if (problems.length === 0) return;
  throw new PrickleError("CONFIG_INVALID", `The group types do not fit:\n${problems.map(problemLine).join("\n")}`, {
    hint: "`prickle check` shows the slots and who uses them.",
  });
}
