/** The groups a mapping may ask for by `@group`, in memory: every group identify that is mapped is noted here. */

import type { JsonObject, JsonValue } from "./json.ts";
import type { GroupRead, KnownGroup, KnownGroups } from "./known-groups.ts";

/** What is known of a group, as the ledger keeps it. */
export interface RememberedGroup {
  readonly groupType: string;
  readonly groupKey: string;
  /** Those that mappings ask for, and no others. */
  readonly properties: Readonly<JsonObject>;
  /** Of the newest identify, ms UTC. */
  readonly occurredAt: number;
}

export interface GroupMemory extends KnownGroups {
  /** Group types that are remembered: those some mapping asks for. */
  readonly groupTypes: ReadonlySet<string>;
  /** Takes in what was remembered before. */
  load(groups: Iterable<RememberedGroup>): void;
  /**
   * Notes a group identify. One that is older than the newest known adds what is missing and changes nothing. Gives what
   * the ledger has to keep: until it is `stored`, again with every identify of the group. Null when nothing is new.
   */
  note(identify: Pick<RememberedGroup, "groupType" | "groupKey" | "properties" | "occurredAt">): RememberedGroup | null;
  /** The ledger has these on disk, each instead of what it had of the group. */
  stored(groups: Iterable<RememberedGroup>): void;
}

/** `reads`: what all mappings may ask. */
export function createGroupMemory(reads: readonly GroupRead[]): GroupMemory {
  const kinds = new Map<string, Kind>();
  for (const { groupType, property, gives } of reads) {
    const kind = kinds.get(groupType) ?? newKind();
    kinds.set(groupType, kind);
    if (property !== null) kind.indexes.set(property, kind.indexes.get(property) ?? new Map());
    for (const name of [property, gives]) if (name !== null) kind.kept.add(name);
  }

  function put(kind: Kind, group: RememberedGroup, before: RememberedGroup | undefined): void {
    const { groupKey } = group;
    kind.groups.set(groupKey, group);
    for (const [property, index] of kind.indexes) {
      const [was, is] = [ownOf(before?.properties, property), ownOf(group.properties, property)];
      if (was === is) continue;
      if (was !== undefined) index.get(indexKey(was))?.delete(groupKey);
      if (is !== undefined) index.set(indexKey(is), (index.get(indexKey(is)) ?? new Set()).add(groupKey));
    }
  }

  return {
    groupTypes: new Set(kinds.keys()),
    load(groups) {
      for (const group of groups) {
        const kind = kinds.get(group.groupType);
        if (kind) put(kind, group, kind.groups.get(group.groupKey));
      }
    },
    note({ groupType, groupKey, properties, occurredAt }) {
      const kind = kinds.get(groupType);
      if (!kind) return null;
      const before = kind.groups.get(groupKey);
      const told = pick(properties, kind.kept);
      const isNewer = before === undefined || occurredAt >= before.occurredAt;
      const known = before?.properties ?? {};
      const group = {
        groupType,
        groupKey,
        properties: isNewer ? { ...known, ...told } : { ...told, ...known },
        occurredAt: isNewer ? occurredAt : before.occurredAt,
      };
      if (before === undefined || !isSame(before.properties, group.properties)) kind.unstored.add(groupKey);
      put(kind, group, before);
      return kind.unstored.has(groupKey) ? group : null;
    },
    stored(groups) {
      for (const { groupType, groupKey, properties } of groups) {
        const kind = kinds.get(groupType);
        const known = kind?.groups.get(groupKey);
        if (!kind || !known) continue;
        // More may have been said since, and what came later may have been stored before.
        if (isSame(known.properties, properties)) kind.unstored.delete(groupKey);
        else kind.unstored.add(groupKey);
      }
    },
    byKey: (groupType, groupKey) => kinds.get(groupType)?.groups.get(groupKey)?.properties ?? null,
    byProperty(groupType, property, value): KnownGroup | null {
      const kind = kinds.get(groupType);
      const keys = kind?.indexes.get(property)?.get(indexKey(value));
      const [key] = keys ?? [];
      return (keys?.size === 1 && key !== undefined && kind?.groups.get(key)) || null;
    },
  };
}

/** All that is known of the groups of one type. */
interface Kind {
  readonly kept: Set<string>;
  readonly groups: Map<string, RememberedGroup>;
  /** Keys of those the ledger has not got as they are here. */
  readonly unstored: Set<string>;
  /** By property: value → keys of the groups that have it. */
  readonly indexes: Map<string, Map<string, Set<string>>>;
}

function newKind(): Kind {
  return { kept: new Set(), groups: new Map(), unstored: new Set(), indexes: new Map() };
}

function pick(properties: Readonly<JsonObject>, kept: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => kept.has(name)));
}

function ownOf(properties: Readonly<JsonObject> | undefined, name: string): JsonValue | undefined {
  return properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/** The number 1 is not the text "1". */
function indexKey(value: JsonValue): string {
  return JSON.stringify(value);
}

function isSame(one: Readonly<JsonObject>, other: Readonly<JsonObject>): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && JSON.stringify(one[name]) === JSON.stringify(other[name]))
  );
}
