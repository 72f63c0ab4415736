/** What is known, with changes laid over it that are kept nowhere else: for dry runs. */

import { changedGroup } from "./changed-group.ts";
import {
  type Change,
  compareMemberships,
  compareOwners,
  compareText,
  type GroupState,
  type Knowledge,
} from "./knowledge.ts";
import { createMemoryKnowledge } from "./memory-knowledge.ts";

const MOST_OWNERS = 16;

/** `base` is only read. */
export function overlayKnowledge(base: Knowledge): Knowledge {
  const above = createMemoryKnowledge();
  const groups = new Map<string, GroupState>();
  const typesByKey = new Map<string, Set<string>>();
  const released = new Set<string>();

  function group(groupType: string, groupKey: string): GroupState | null {
    return groups.get(`${groupType}\0${groupKey}`) ?? base.group(groupType, groupKey);
  }

  /** Whose ids these are has to be known where something is laid over them. */
  function bringOwners(id: string): void {
    let one = id;
    for (let step = 0; step < MOST_OWNERS; step++) {
      const owner = base.owner(one);
      if (!owner) return;
      above.apply({ kind: "owner", id: one, owner });
      one = owner.id;
    }
  }

  function apply(change: Change): void {
    switch (change.kind) {
      case "group": {
        const { groupType, groupKey } = change;
        groups.set(`${groupType}\0${groupKey}`, changedGroup(group(groupType, groupKey), change));
        typesByKey.set(groupKey, (typesByKey.get(groupKey) ?? new Set()).add(groupType));
        return;
      }
      case "membership":
        bringOwners(change.id);
        break;
      case "owner":
        bringOwners(change.id);
        bringOwners(change.owner.id);
        if (base.hasMemberships(change.id)) above.noteMemberships(change.id);
        break;
      case "release":
        released.add(change.uuid);
        break;
    }
    above.apply(change);
  }

  return {
    apply,
    group,
    membership: (id, groupType, from) =>
      first([above.membership(id, groupType, from), base.membership(id, groupType, from)], compareMemberships),
    firstMembership: (id, groupType) =>
      first([above.firstMembership(id, groupType), base.firstMembership(id, groupType)], (one, other) =>
        compareMemberships(other, one),
      ),
    owner: (id) => first([above.owner(id), base.owner(id)], compareOwners),
    hasMemberships: (id) => above.hasMemberships(id) || base.hasMemberships(id),
    idsOf: (owner) => [...new Set([...base.idsOf(owner), ...above.idsOf(owner)])].sort(compareText),
    typeSharing(groupType, groupKey) {
      const others = [...(typesByKey.get(groupKey) ?? [])].filter((other) => other !== groupType);
      return base.typeSharing(groupType, groupKey) ?? others.sort(compareText)[0] ?? null;
    },
    alias: (groupType, alias) => above.alias(groupType, alias) ?? base.alias(groupType, alias),
    parked(groupType, wanted) {
      const before = base.parked(groupType, wanted).filter(({ uuid }) => !released.has(uuid));
      return [...before, ...above.parked(groupType, wanted)];
    },
  };
}

function first<Item>(items: readonly (Item | null)[], compare: (one: Item, other: Item) => number): Item | null {
  return items.filter((item) => item !== null).sort(compare)[0] ?? null;
}
