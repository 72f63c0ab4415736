/** What a destination was sent of groups, to be compared with what it has. */

import type { GroupState } from "../../../core/attribution/knowledge.ts";
import { sentValueOf } from "../../../core/attribution/properties.ts";
import type { RulesBySource } from "../../../core/attribution/rules.ts";
import type { HeldGroup, HeldGroupsQuery, HeldProperty } from "../../../core/group-knowledge.ts";
import { groupLane } from "../../../core/identity.ts";
import type { Passages } from "../passages.ts";
import { arrivalOf } from "./arrival.ts";
import type { GroupName, Groups } from "./groups.ts";

export interface HeldGroupsParts {
  readonly groups: Pick<Groups, "passing" | "after">;
  readonly rules: RulesBySource;
  readonly lanes: number;
  readonly passages: Pick<Passages, "of">;
}

export function readHeldGroups(
  { destination, which }: HeldGroupsQuery,
  { groups, rules, lanes, passages }: HeldGroupsParts,
): readonly HeldGroup[] {
  const held = (group: GroupName, state: GroupState): HeldGroup => {
    const lane = groupLane(group.groupType, group.groupKey, lanes);
    const way = { destination, lane, passages: remembering(passages) };
    const names = Object.keys(state.sent);
    const properties = names.map((name): [string, HeldProperty] => {
      const value = sentValueOf(state, name, group.groupKey, rules);
      const arrival = arrivalOf(state, name, way);
      return [name, value === undefined ? { arrival } : { value, arrival }];
    });
    return { ...group, properties: Object.fromEntries(properties) };
  };
  if ("limit" in which) {
    return groups
      .after(which.after, which.limit)
      .map(({ state, groupType, groupKey }) => held({ groupType, groupKey }, state));
  }
  const { groupType, groupKeys } = which;
  return groupKeys.flatMap((groupKey) => {
    const state = groups.passing(groupType, groupKey);
    return state ? [held({ groupType, groupKey }, state)] : [];
  });
}

/** Most properties of a group came with the same message. */
function remembering({ of }: Pick<Passages, "of">): Pick<Passages, "of"> {
  const known = new Map<number, ReturnType<Passages["of"]>>();
  return {
    of(destination, lane, seq) {
      const before = known.get(seq);
      if (before !== undefined) return before;
      const found = of(destination, lane, seq);
      known.set(seq, found);
      return found;
    },
  };
}
