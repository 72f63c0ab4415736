/** Which group type has which index: those declared in their order, then by arrival. */

import { distance } from "fastest-levenshtein";
import { PrickleError } from "../core/errors.ts";
import { groupTypeProblem, MAX_GROUP_TYPES } from "../core/group.ts";

/** Group types by index. */
export type GroupSlots = readonly string[];

export interface NoSlot {
  readonly problem: string;
  readonly code: "invalid_group_type" | "too_many_group_types";
}

/** `slots` with the types that are new to it, or the reason they cannot all be had. */
export function takeSlots(slots: GroupSlots, groupTypes: readonly string[]): GroupSlots | NoSlot {
  const added = groupTypes.filter(
    (groupType, at) => !slots.includes(groupType) && groupTypes.indexOf(groupType) === at,
  );
  if (added.length === 0) return slots;
  for (const groupType of added) {
    const problem = groupTypeProblem(groupType);
    if (problem) return { code: "invalid_group_type", problem: `group type ${quote(groupType)}: ${problem}` };
  }
  const known = [...slots, ...added];
  if (known.length <= MAX_GROUP_TYPES) return known;
  return {
    code: "too_many_group_types",
    problem: `group type ${quote(added.at(-1) ?? "")}: there are ${MAX_GROUP_TYPES} at most; already there: ${slots.map(quote).join(", ")}`,
  };
}

/** `stored` with the declared types that are new to it. @throws CONFIG_INVALID if there is no room for them. */
export function reserveSlots(
  stored: GroupSlots,
  { path, groupTypes }: { readonly path: string; readonly groupTypes: readonly string[] },
): GroupSlots {
  const taken = takeSlots(stored, groupTypes);
  if (!("problem" in taken)) return taken;
  throw new PrickleError("CONFIG_INVALID", `${path}: ${taken.problem}`, {
    hint: "Declare what is there already, or move the file away: the engine makes a new one, which a backfill fills again.",
  });
}

/** How many slots, from the first, the rows need: up to the last one that is named. */
export function usedSlots(rows: readonly SlotUse[]): number {
  return rows.reduce((used, { groupKeys, change }) => {
    return Math.max(used, groupKeys.length, change ? change.groupIndex + 1 : 0);
  }, 0);
}

export interface SlotUse {
  /** By group index. */
  readonly groupKeys: readonly unknown[];
  readonly change: { readonly groupIndex: number } | null;
}

/** @throws NOT_FOUND, naming the types there are. */
export function slotOf(slots: GroupSlots, groupType: string): number {
  const index = slots.indexOf(groupType);
  if (index >= 0) return index;
  throw new PrickleError("NOT_FOUND", `There is no group type ${quote(groupType)}`, { hint: advice(slots, groupType) });
}

function advice(slots: GroupSlots, groupType: string): string {
  const nearest = slots.toSorted((a, b) => distance(a, groupType) - distance(b, groupType))[0];
  if (nearest === undefined)
    return "No group has arrived yet: group types come with the first message that names them.";
  return `Did you mean ${quote(nearest)}? Known are ${slots.map(quote).join(", ")}.`;
}

/** Names come from outside: short enough for one line of a message. */
function quote(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
}
