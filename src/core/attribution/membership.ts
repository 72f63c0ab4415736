/** Who belonged to which group when, from statements that may have come in any order. */

import { compareMemberships, compareOwners, type Knowledge, type Membership, MOST_IDS } from "./knowledge.ts";
import type { GroupRules } from "./rules.ts";

const MOST_OWNERS = 16;

/** All ids of the person a record names by `ids`, the one that counts most first. The same for whatever order facts came in. */
export function idsOfPerson(knowledge: Knowledge, ids: readonly string[]): readonly string[] {
  const [first] = ids;
  if (first === undefined) return [];
  const root = rootOf(knowledge, first);
  const found = new Set([root]);
  for (const id of found) {
    for (const other of knowledge.idsOf(id)) {
      if (found.size < MOST_IDS && ownerOf(knowledge, other) === id) found.add(other);
    }
  }
  for (const id of ids) {
    const owner = ownerOf(knowledge, id);
    if (owner === null || found.has(owner)) found.add(id);
  }
  return [...found];
}

/** Follows who owns whom. A circle ends at the least of its ids. */
function rootOf(knowledge: Knowledge, id: string): string {
  const passed = [id];
  for (let at = id; passed.length < MOST_OWNERS; ) {
    const owner = ownerOf(knowledge, at);
    if (owner === null) return at;
    const circle = passed.indexOf(owner);
    if (circle >= 0) return passed.slice(circle).sort()[0] ?? id;
    passed.push(owner);
    at = owner;
  }
  return id;
}

/** The first to claim an id keeps it: a device that two people use is not theirs both. */
function ownerOf(knowledge: Knowledge, id: string): string | null {
  return knowledge.owners(id).toSorted(compareOwners)[0]?.id ?? null;
}

/** The group of the type the person (all of whose ids are given) belonged to at a time; null: none. */
export function groupAt(
  knowledge: Knowledge,
  ids: readonly string[],
  { groupType, at }: { readonly groupType: string; readonly at: number },
  { several, beforeFirst }: Pick<GroupRules, "several" | "beforeFirst">,
): string | null {
  let isFirst = true;
  const left = new Set<string>();
  const joined = new Set<string>();
  for (const { joins, groupKey } of newestFirst(knowledge, ids, groupType, at)) {
    isFirst = false;
    if (!joins && groupKey === "") break;
    if (!joins) left.add(groupKey);
    else if (several === "latest") return left.has(groupKey) ? null : groupKey;
    else if (!left.has(groupKey)) joined.add(groupKey);
    if (joined.size > 1) return null;
  }
  if (isFirst && beforeFirst === "first") return firstKnown(knowledge, ids, groupType);
  return [...joined][0] ?? null;
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

function firstKnown(knowledge: Knowledge, ids: readonly string[], groupType: string): string | null {
  const firsts = ids.flatMap((id) => knowledge.firstMembership(id, groupType) ?? []);
  return firsts.sort(compareMemberships).at(-1)?.groupKey ?? null;
}
