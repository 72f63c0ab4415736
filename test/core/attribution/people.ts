/** What records say of people, shortly. */

import type { Change, Knowledge } from "../../../src/core/attribution/knowledge.ts";
import { groupAt, idsOfPerson } from "../../../src/core/attribution/membership.ts";
import { createMemoryKnowledge } from "../../../src/core/attribution/memory-knowledge.ts";
import { DEFAULT_GROUP_RULES, type GroupRules } from "../../../src/core/attribution/rules.ts";

export function joins(at: number, id: string, groupKey: string, groupType = "company"): Change {
  return { kind: "membership", id, groupType, membership: { at, joins: true, groupKey } };
}

/** Without a key: whatever group. */
export function leaves(at: number, id: string, groupKey = "", groupType = "company"): Change {
  return { kind: "membership", id, groupType, membership: { at, joins: false, groupKey } };
}

export function owns(at: number, owner: string, id: string): Change {
  return { kind: "owner", id, owner: { id: owner, at } };
}

export function knowing(...changes: readonly Change[]): Knowledge {
  const knowledge = createMemoryKnowledge();
  for (const change of changes) knowledge.apply(change);
  return knowledge;
}

/** The company an event of these ids at that time gains. */
export function companyOf(
  knowledge: Knowledge,
  ids: string | readonly string[],
  at: number,
  rules: Partial<GroupRules> = {},
): string | null {
  const person = idsOfPerson(knowledge, typeof ids === "string" ? [ids] : ids, at);
  return groupAt(knowledge, person, { groupType: "company", at }, { ...DEFAULT_GROUP_RULES, ...rules });
}
