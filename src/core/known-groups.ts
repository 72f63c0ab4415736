/** What is known of groups when a record is mapped: a port, so that `@group` can name one by what is known of it. */

import type { JsonObject, JsonValue } from "./json.ts";

export interface KnownGroup {
  readonly groupKey: string;
  readonly properties: Readonly<JsonObject>;
}

/** Synchronous, and called once per record that needs it: an implementation answers from memory or an index. Never throws. */
export interface KnownGroups {
  /** The properties of the group of this key; null when no such group is known. */
  byKey(groupType: string, groupKey: string): Readonly<JsonObject> | null;
  /** The one group whose property has this very value; null when there is none, or more than one. */
  byProperty(groupType: string, property: string, value: JsonValue): KnownGroup | null;
}

/** How a mapping asks for groups. */
export interface GroupRead {
  readonly groupType: string;
  /** By what it looks them up: a property, or the key (null). */
  readonly property: string | null;
  /** What it takes of them: a property, or the key (null). */
  readonly gives: string | null;
}

export const NO_KNOWN_GROUPS: KnownGroups = { byKey: () => null, byProperty: () => null };

/** Those listed and no others: for examples and previews. */
export function listedGroups(groups: readonly (KnownGroup & { readonly groupType: string })[]): KnownGroups {
  return {
    byKey: (groupType, groupKey) =>
      groups.find((group) => group.groupType === groupType && group.groupKey === groupKey)?.properties ?? null,
    byProperty(groupType, property, value) {
      const having = ({ properties }: KnownGroup) =>
        Object.hasOwn(properties, property) && properties[property] === value;
      const [found, second] = groups.filter((group) => group.groupType === groupType && having(group));
      return found && !second ? found : null;
    },
  };
}
