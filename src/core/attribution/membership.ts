/** Who belonged to which group when, from statements that may have come in any order. */

import { compareMemberships, compareText, type Knowledge, type Membership, MOST_IDS } from "./knowledge.ts";
import type { GroupRules } from "./rules.ts";

const MOST_OWNERS = 16;
/** Of one person and type, when the newest alone does not tell: older ones are not looked at. */
const MOST_MEMBERSHIPS = 256;

/**
 * All ids with memberships that were those of the person a record names by `ids` at a time, after the one that counts
 * most. The same for whatever order facts came in, and for what came later than that time.
 */
export function idsOfPerson(knowledge: Knowledge, ids: readonly string[], at: number): readonly string[] {
  const [first] = ids;
  if (first === undefined) return [];
  const root = rootOf(knowledge, first, at);
  if (isAlone(knowledge, root, ids)) return [root];
  const found = new Set([root]);
  for (const id of found) {
    for (const other of knowledge.idsOf(id)) {
      if (found.size < MOST_IDS && ownerOf(knowledge, other, at) === id) found.add(other);
    }
  }
  for (const id of ids) {
    if (!knowledge.hasMemberships(id)) continue;
    const owner = ownerOf(knowledge, id, at);
    if (owner === null || found.has(owner)) found.add(id);
  }
  return [...found];
}

/** As most are: then there is nothing to be gathered. */
function isAlone(knowledge: Knowledge, root: string, ids: readonly string[]): boolean {
  return knowledge.idsOf(root).length === 0 && ids.every((id) => id === root || !knowledge.hasMemberships(id));
}

/** Follows who owns whom. A circle ends at the least of its ids. */
function rootOf(knowledge: Knowledge, id: string, at: number): string {
  if (ownerOf(knowledge, id, at) === null) return id;
  const passed = [id];
  for (const one of passed) {
    const owner = ownerOf(knowledge, one, at);
    if (owner === null) return one;
    const circle = passed.indexOf(owner);
    if (circle >= 0) return passed.slice(circle).sort(compareText)[0] ?? id;
    if (passed.length < MOST_OWNERS) passed.push(owner);
  }
  return id;
}

/** The first to claim an id keeps it: a device that two people use is not theirs both. */
function ownerOf(knowledge: Knowledge, id: string, at: number): string | null {
  const owner = knowledge.owner(id);
  return owner && owner.at <= at ? owner.id : null;
}

/** The group of the type the person (whose ids at that time are given) belonged to at a time; null: none. */
export function groupAt(
  knowledge: Knowledge,
  ids: readonly string[],
  { groupType, at }: { readonly groupType: string; readonly at: number },
  { several, beforeFirst }: Pick<GroupRules, "several" | "beforeFirst">,
): string | null {
  const newest = newestOf(knowledge, ids, groupType, at);
  if (!newest) return beforeFirst === "first" ? firstKnown(knowledge, ids, groupType) : null;
  if (newest.joins && several === "latest") return newest.groupKey;
  const left = new Set<string>();
  const joined = new Set<string>();
  let looked = 0;
  for (const { joins, groupKey } of newestFirst(knowledge, ids, groupType, at)) {
    if (++looked > MOST_MEMBERSHIPS) break;
    if (!joins && groupKey === "") break;
    if (!joins) left.add(groupKey);
    else if (several === "latest") return left.has(groupKey) ? null : groupKey;
    else if (!left.has(groupKey)) joined.add(groupKey);
    if (joined.size > 1) return null;
  }
  return [...joined][0] ?? null;
}

function newestOf(knowledge: Knowledge, ids: readonly string[], groupType: string, at: number): Membership | null {
  let newest: Membership | null = null;
  for (const id of ids) {
    const one = knowledge.membership(id, groupType, at);
    if (one && (!newest || compareMemberships(one, newest) < 0)) newest = one;
  }
  return newest;
}

function* newestFirst(
  knowledge: Knowledge,
  ids: readonly string[],
  groupType: string,
  at: number,
): Iterable<Membership> {
  const heads = ids.map((id) => ({ id, next: knowledge.membership(id, groupType, at) }));
  for (;;) {
    let newest: { id: string; next: Membership | null } | null = null;
    for (const head of heads) {
      if (head.next && (!newest?.next || compareMemberships(head.next, newest.next) < 0)) newest = head;
    }
    if (!newest?.next) return;
    const { next } = newest;
    yield next;
    newest.next = knowledge.membership(newest.id, groupType, next);
  }
}

/** What is looked ahead for is also looked for under the ids the person got later. */
function firstKnown(knowledge: Knowledge, ids: readonly string[], groupType: string): string | null {
  const firsts = idsOfPerson(knowledge, ids, Number.POSITIVE_INFINITY).flatMap(
    (id) => knowledge.firstMembership(id, groupType) ?? [],
  );
  return firsts.sort(compareMemberships).at(-1)?.groupKey ?? null;
}
