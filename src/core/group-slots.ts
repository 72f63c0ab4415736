/** The five group types a project has room for: which type has which slot, who uses it, and what does not fit. */

import { MAX_GROUP_TYPES } from "./group.ts";
import { likeness } from "./group-type-names.ts";

/** What one source's mapping may produce. */
export interface DeclaredGroupTypes {
  readonly source: string;
  /** Of the mapping. */
  readonly file: string;
  /** In the order declared. */
  readonly groupTypes: readonly string[];
}

/** A group type that a PostHog project has already. */
export interface ProjectGroupType {
  readonly groupType: string;
  readonly index: number;
}

export interface GroupSlot {
  /** From 0. */
  readonly index: number;
  readonly groupType: string;
  /** Names of sources in their order, and "project" where the PostHog project has it already. */
  readonly usedBy: readonly string[];
}

export interface SlotProblem {
  readonly source: string;
  /** Of the mapping that declares it. */
  readonly file: string;
  readonly groupType: string;
  /** In words, like `allowed`. */
  readonly found: string;
  /** Names the slots and who uses them. */
  readonly allowed: string;
}

export interface SlotPlan {
  /** By index. */
  readonly slots: readonly GroupSlot[];
  readonly problems: readonly SlotProblem[];
}

const PROJECT = "project";

/**
 * Gives out the slots: those of the project stay, declared types take the lowest that are free, in the order declared.
 * Refused, each with a problem, are a type for which none is left, and a name that is almost that of another type: a
 * typo takes a slot for good. A type the project has already may resemble others of the project: it takes no slot.
 */
export function planGroupSlots(
  declared: readonly DeclaredGroupTypes[],
  project: readonly ProjectGroupType[] = [],
): SlotPlan {
  const slots: GroupSlot[] = project.map((type) => ({ ...type, usedBy: [PROJECT] }));
  const refused: Omit<SlotProblem, "allowed">[] = [];
  for (const { source, file, groupTypes } of declared) {
    for (const groupType of groupTypes) {
      const problem = take(slots, groupType, source);
      if (problem === null) continue;
      refused.push({
        source,
        file,
        groupType,
        found: `group type ${quote(groupType)} of source ${source}: ${problem}`,
      });
    }
  }
  const planned = slots.toSorted((one, other) => one.index - other.index);
  const allowed = `${MAX_GROUP_TYPES} group types, each under one name; they are ${slotsText(planned)}`;
  return { slots: planned, problems: refused.map((problem) => ({ ...problem, allowed })) };
}

/** Adds to `slots`, or gives the reason not to. */
function take(slots: GroupSlot[], groupType: string, source: string): string | null {
  const at = slots.findIndex((slot) => slot.groupType === groupType);
  const own = slots[at];
  const resembled = resembling(slots, groupType, own);
  if (resembled !== null) return resembled;
  if (own) {
    slots[at] = { ...own, usedBy: [...new Set([...own.usedBy, source])] };
    return null;
  }
  const index = lowestFree(slots);
  if (index === null) return `one too many, PostHog takes ${MAX_GROUP_TYPES}`;
  slots.push({ index, groupType, usedBy: [source] });
  return null;
}

/** With a slot of its own already, only what other mappings declare counts. */
function resembling(slots: readonly GroupSlot[], groupType: string, own: GroupSlot | undefined): string | null {
  for (const slot of slots) {
    if (slot === own || (own && slot.usedBy.every((user) => user === PROJECT))) continue;
    const difference = likeness(groupType, slot.groupType);
    if (difference) return `differs only by ${difference} from ${slotText(slot)}`;
  }
  return null;
}

function lowestFree(slots: readonly GroupSlot[]): number | null {
  const taken = new Set(slots.map(({ index }) => index));
  for (let index = 0; index < MAX_GROUP_TYPES; index++) if (!taken.has(index)) return index;
  return null;
}

function slotsText(slots: readonly GroupSlot[]): string {
  return slots.map((slot) => `${slot.index} ${slotText(slot)}`).join(", ");
}

function slotText({ groupType, usedBy }: GroupSlot): string {
  return `${quote(groupType)} (${usedBy.join(", ")})`;
}

/** Those of a project come from outside: short enough for one line. */
function quote(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
}
