/** Group knowledge in memory, over what is known elsewhere: for previews and dry runs, and for tests of the rules. */

import { changedGroup } from "./changed-group.ts";
import {
  type Change,
  type Collision,
  compareMemberships,
  type GroupState,
  type Identify,
  type Knowledge,
  type KnownAlias,
  type Membership,
  MOST_IDS,
  type Owner,
} from "./knowledge.ts";

export interface MemoryKnowledge extends Knowledge {
  collisions(): readonly Collision[];
  /** Groups known, by type. */
  groupCounts(): ReadonlyMap<string, number>;
}

/** Keeps everything it is told; `base` is only read. */
export function createMemoryKnowledge(base: Knowledge | null = null): MemoryKnowledge {
  const memberships = new Map<string, Membership[]>();
  const owners = new Map<string, Owner[]>();
  const owned = new Map<string, Set<string>>();
  const own = new Set<string>();
  const groups = new Map<string, GroupState>();
  const typesByKey = new Map<string, string[]>();
  const aliases = new Map<string, KnownAlias>();
  const parked = new Map<string, Identify>();
  const released = new Set<string>();
  const collisions: Collision[] = [];
  const ownersOf = (id: string) => union(base?.owners(id), owners.get(id));
  const hasOwn = (id: string) => own.has(id) || (base?.hasOwn(id) ?? false);
  const groupOf = (groupType: string, groupKey: string) =>
    groups.get(keyOf(groupType, groupKey)) ?? base?.group(groupType, groupKey) ?? null;

  function addMembership({ id, groupType, membership, isOwn }: Extract<Change, { kind: "membership" }>): void {
    const known = listAt(memberships, keyOf(id, groupType));
    const place = known.findIndex((other) => compareMemberships(membership, other) <= 0);
    const other = known[place];
    if (!other) known.push(membership);
    else if (compareMemberships(membership, other) !== 0) known.splice(place, 0, membership);
    if (!isOwn || hasOwn(id)) return;
    own.add(id);
    for (const owner of ownersOf(id)) setAt(owned, owner.id).add(id);
  }

  function addOwner({ id, owner }: Extract<Change, { kind: "owner" }>): void {
    const known = listAt(owners, id);
    if (known.some((other) => other.id === owner.id && other.at === owner.at)) return;
    known.push(owner);
    if (hasOwn(id)) setAt(owned, owner.id).add(id);
  }

  return {
    membership(id, groupType, from) {
      const bound = typeof from === "number" ? null : from;
      const at = typeof from === "number" ? from : from.at;
      const isIn = (one: Membership) => (bound ? compareMemberships(one, bound) > 0 : one.at <= at);
      const known = memberships.get(keyOf(id, groupType))?.find(isIn);
      return firstOf([known, base?.membership(id, groupType, from)]);
    },
    firstMembership(id, groupType) {
      const known = memberships.get(keyOf(id, groupType))?.findLast(({ joins }) => joins);
      return lastOf([known, base?.firstMembership(id, groupType)]);
    },
    owners: ownersOf,
    hasOwn,
    idsOf: (owner) => union(base?.idsOf(owner), owned.get(owner)).sort().slice(0, MOST_IDS),
    group: groupOf,
    typeSharing(groupType, groupKey) {
      const known = typesByKey.get(groupKey)?.find((other) => other !== groupType);
      return known ?? base?.typeSharing(groupType, groupKey) ?? null;
    },
    alias: (groupType, alias) => aliases.get(keyOf(groupType, alias)) ?? base?.alias(groupType, alias) ?? null,
    parked(groupType, alias) {
      const names = ({ groupType: type, aliases: own, mergedAliases }: Identify) =>
        type === groupType && (own.includes(alias) || mergedAliases.includes(alias));
      const before = (base?.parked(groupType, alias) ?? []).filter(({ uuid }) => !released.has(uuid));
      return [...before, ...[...parked.values()].filter(names)];
    },
    apply(change) {
      switch (change.kind) {
        case "membership":
          return addMembership(change);
        case "owner":
          return addOwner(change);
        case "group": {
          const { groupType, groupKey } = change;
          const before = groupOf(groupType, groupKey);
          if (!before) listAt(typesByKey, groupKey).push(groupType);
          return void groups.set(keyOf(groupType, groupKey), changedGroup(before, change));
        }
        case "alias":
          return void aliases.set(keyOf(change.groupType, change.alias), change.known);
        case "collision":
          return void collisions.push(change);
        case "park":
          return void parked.set(change.identify.uuid, change.identify);
        case "release":
          released.add(change.uuid);
          return void parked.delete(change.uuid);
      }
    },
    collisions: () => collisions,
    groupCounts() {
      const counts = new Map<string, number>();
      for (const key of groups.keys()) {
        const groupType = key.split("\0", 1)[0] ?? "";
        counts.set(groupType, (counts.get(groupType) ?? 0) + 1);
      }
      return counts;
    },
  };
}

function firstOf(memberships: readonly (Membership | null | undefined)[]): Membership | null {
  return sorted(memberships)[0] ?? null;
}

function lastOf(memberships: readonly (Membership | null | undefined)[]): Membership | null {
  return sorted(memberships).at(-1) ?? null;
}

function sorted(memberships: readonly (Membership | null | undefined)[]): Membership[] {
  return memberships.filter((one) => one !== null && one !== undefined).sort(compareMemberships);
}

function union<Item>(one: Iterable<Item> | undefined, other: Iterable<Item> | undefined): Item[] {
  return [...new Set([...(one ?? []), ...(other ?? [])])];
}

function keyOf(one: string, other: string): string {
  return `${one}\0${other}`;
}

function listAt<Item>(lists: Map<string, Item[]>, key: string): Item[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function setAt(sets: Map<string, Set<string>>, key: string): Set<string> {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set);
  return set;
}
