/** What is known of groups and keys, for people. */

import type { GroupState } from "../../../core/attribution/knowledge.ts";
import { groupAt } from "../../../core/attribution/membership.ts";
import { winnerOf } from "../../../core/attribution/properties.ts";
import type { RulesBySource } from "../../../core/attribution/rules.ts";
import type {
  GroupKnowledge,
  GroupKnowledgeQuery,
  KeysReport,
  KnownMember,
  KnownProperty,
} from "../../../core/group-knowledge.ts";
import { groupLane } from "../../../core/identity.ts";
import type { Passages } from "../passages.ts";
import type { Positions } from "../positions.ts";
import { arrivalOf } from "./arrival.ts";
import type { StoredKnowledge } from "./knowledge.ts";

export interface ReportParts {
  readonly knowledge: StoredKnowledge;
  readonly rules: RulesBySource;
  readonly positions: Pick<Positions, "lanes" | "destinations">;
  readonly passages: Passages;
}

export function readGroup(
  { groupType, groupKey, limit }: GroupKnowledgeQuery,
  now: number,
  parts: ReportParts,
): GroupKnowledge | null {
  const { knowledge } = parts;
  const state = knowledge.group(groupType, groupKey);
  const ids = knowledge.people.membersOf(groupType, groupKey, limit + 1);
  if (!state && ids.length === 0) return null;
  return {
    groupType,
    groupKey,
    aliases: knowledge.keys.aliasesOf(groupType, groupKey),
    properties: state ? propertiesOf(state, groupLane(groupType, groupKey, parts.positions.lanes), parts) : [],
    members: ids.slice(0, limit).map((id) => memberOf(id, { groupType, groupKey, now }, knowledge)),
    hasMoreMembers: ids.length > limit,
  };
}

function propertiesOf(state: GroupState, lane: number, { rules, positions, passages }: ReportParts): KnownProperty[] {
  return Object.entries(state.told).map(([name, bySource]) => {
    const winner = winnerOf(state, name, rules);
    const delivered = positions.destinations.map(
      (destination) => [destination, arrivalOf(state, name, { destination, lane, passages })] as const,
    );
    const others = Object.entries(bySource).filter(([source]) => source !== winner?.source);
    return {
      name,
      value: winner?.value,
      source: winner?.source ?? null,
      at: winner?.at ?? null,
      delivered: Object.fromEntries(delivered),
      others: others.map(([source, { value, at }]) => ({ source, value, at })),
    };
  });
}

function memberOf(
  id: string,
  { groupType, groupKey, now }: { readonly groupType: string; readonly groupKey: string; readonly now: number },
  knowledge: StoredKnowledge,
): KnownMember {
  const latest = { several: "latest", beforeFirst: "none" } as const;
  return {
    id,
    joinedAt: knowledge.people.lastJoinOf(id, groupType, groupKey),
    isMember: groupAt(knowledge, [id], { groupType, at: now }, latest) === groupKey,
  };
}

export function readKeys(limit: number, { keys, groups }: StoredKnowledge): KeysReport {
  const counts = keys.counts();
  return {
    aliases: counts.aliases,
    collisionCount: counts.collisions,
    collisions: keys.collisions(limit),
    parkedCount: counts.parked,
    parked: keys.listParked(limit).map(({ source, groupType, recordId, aliases, at }) => {
      return { source, groupType, recordId, aliases, at };
    }),
    shared: groups.sharedKeys(limit),
  };
}
