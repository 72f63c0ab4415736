/** Group knowledge in memory: for previews and dry runs, and for tests of the rules. */

import { changedGroup, resentGroup } from "./changed-group.ts";
import {
  type Change,
  type Collision,
  compareMemberships,
  compareOwners,
  compareText,
  type GroupState,
  type Identify,
  type Knowledge,
  type KnownAlias,
  type Membership,
  MOST_IDS,
  type Owner,
} from "./knowledge.ts";

export interface MemoryKnowledge extends Knowledge {
  /** The id has memberships that are kept elsewhere. */
  noteMemberships(id: string): void;
  collisions(): readonly Collision[];
}

/** Keeps everything it is told. */
export function createMemoryKnowledge(): MemoryKnowledge {
  const memberships = new Map<string, Membership[]>();
  const owners = new Map<string, Owner[]>();
  const owned = new Map<string, Set<string>>();
  /** With memberships, or ids that have. */
  const withMemberships = new Set<string>();
  const groups = new Map<string, GroupState>();
  const typesByKey = new Map<string, string[]>();
  const aliases = new Map<string, KnownAlias>();
  const parked = new Map<string, Identify>();
  const collisions = new Map<string, Collision>();

  function addMembership({ id, groupType, membership }: Extract<Change, { kind: "membership" }>): void {
    const known = listAt(memberships, keyOf(id, groupType));
    const place = known.findIndex((other) => compareMemberships(membership, other) <= 0);
    const other = known[place];
    if (!other) known.push(membership);
    else if (compareMemberships(membership, other) !== 0) known.splice(place, 0, membership);
    noteMemberships(id);
  }

  function noteMemberships(first: string): void {
    const found = [first];
    for (const id of found) {
      if (withMemberships.has(id)) continue;
      withMemberships.add(id);
      for (const owner of owners.get(id) ?? []) {
        setAt(owned, owner.id).add(id);
        found.push(owner.id);
      }
    }
  }

  function addOwner({ id, owner }: Extract<Change, { kind: "owner" }>): void {
    const known = listAt(owners, id);
    if (known.some((other) => other.id === owner.id && other.at === owner.at)) return;
    known.push(owner);
    known.sort(compareOwners);
    if (!withMemberships.has(id)) return;
    setAt(owned, owner.id).add(id);
    noteMemberships(owner.id);
  }

  function addCollision({ groupType, alias, groupKey, otherKey, source, at }: Collision): void {
    const key = [groupType, alias, groupKey, otherKey].join("\0");
    const before = collisions.get(key)?.at ?? at;
    collisions.set(key, { groupType, alias, groupKey, otherKey, source, at: Math.max(before, at) });
  }

  return {
    membership(id, groupType, from) {
      const bound = typeof from === "number" ? null : from;
      const at = typeof from === "number" ? from : from.at;
      const isIn = (one: Membership) => (bound ? compareMemberships(one, bound) > 0 : one.at <= at);
      return memberships.get(keyOf(id, groupType))?.find(isIn) ?? null;
    },
    firstMembership: (id, groupType) => memberships.get(keyOf(id, groupType))?.findLast(({ joins }) => joins) ?? null,
    owner: (id) => owners.get(id)?.[0] ?? null,
    noteMemberships,
    hasMemberships: (id) => withMemberships.has(id),
    idsOf: (owner) => [...(owned.get(owner) ?? [])].sort(compareText).slice(0, MOST_IDS),
    group: (groupType, groupKey) => groups.get(keyOf(groupType, groupKey)) ?? null,
    typeSharing: (groupType, groupKey) =>
      typesByKey
        .get(groupKey)
        ?.toSorted(compareText)
        .find((other) => other !== groupType) ?? null,
    alias: (groupType, alias) => aliases.get(keyOf(groupType, alias)) ?? null,
    parked: (groupType, wanted) =>
      [...parked.values()].filter(
        (one) =>
          one.groupType === groupType && [...one.aliases, ...one.mergedAliases].some((alias) => wanted.includes(alias)),
      ),
    apply(change) {
      switch (change.kind) {
        case "membership":
          return addMembership(change);
        case "owner":
          return addOwner(change);
        case "group": {
          const { groupType, groupKey } = change;
          const key = keyOf(groupType, groupKey);
          const before = groups.get(key) ?? null;
          if (!before) listAt(typesByKey, groupKey).push(groupType);
          return void groups.set(key, changedGroup(before, change));
        }
        case "resent": {
          const key = keyOf(change.groupType, change.groupKey);
          const before = groups.get(key);
          return void (before && groups.set(key, resentGroup(before, change)));
        }
        case "alias":
          return void aliases.set(keyOf(change.groupType, change.alias), change.known);
        case "collision":
          return addCollision(change);
        case "park":
          if (!parked.has(change.identify.uuid)) parked.set(change.identify.uuid, change.identify);
          return;
        case "release":
          return void parked.delete(change.uuid);
      }
    },
    collisions: () =>
      [...collisions].sort(([one], [other]) => compareText(one, other)).map(([, collision]) => collision),
  };
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
