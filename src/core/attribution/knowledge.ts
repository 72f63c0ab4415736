/**
 * Port: what is known of groups, people and keys. Everything is a set of facts that does not depend on the order in which
 * they came. It is read and changed synchronously, inside the transaction of the commit that brings the facts.
 */

import type { JsonObject, JsonValue } from "../json.ts";

export interface Knowledge {
  /** The newest membership of the id that stands at or before `at`, or before the one given. */
  membership(id: string, groupType: string, from: number | Membership): Membership | null;
  /** The oldest membership in which the id joins a group of the type. */
  firstMembership(id: string, groupType: string): Membership | null;
  /** Whose id this is, as the earliest of the records says that claim it. */
  owner(id: string): Owner | null;
  /** Whether the id has memberships, or ids that have. */
  hasMemberships(id: string): boolean;
  /** Ids that some record says are this one's, and that have memberships or ids that have; at most MOST_IDS, in order. */
  idsOf(owner: string): readonly string[];
  group(groupType: string, groupKey: string): GroupState | null;
  /** Another group type with a group of this key. */
  typeSharing(groupType: string, groupKey: string): string | null;
  alias(groupType: string, alias: string): KnownAlias | null;
  /** Records that wait for one of the aliases, in the order they came. */
  parked(groupType: string, aliases: readonly string[]): readonly Identify[];
  /** Makes a change, which may have been made before. */
  apply(change: Change): void;
}

/** A statement that somebody belongs to a group from a time on, or does no more. */
export interface Membership {
  /** ms UTC. */
  readonly at: number;
  /** False: leaves. */
  readonly joins: boolean;
  /** Empty: leaves whatever group. */
  readonly groupKey: string;
}

export interface Owner {
  readonly id: string;
  readonly at: number;
}

export interface GroupState {
  /** By property, then by source: what the source said last. */
  readonly told: Readonly<Record<string, Readonly<Record<string, Told>>>>;
  /** Properties that changed but were not sent, or never arrived: the next difference has them. */
  readonly unsent: readonly string[];
  /** By property: seq of the message that carried it last. */
  readonly sent: Readonly<Record<string, number>>;
  /** By destination, then by property: seq of the message for it alone that carried it since. */
  readonly resent?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface Told {
  /** Absent: removed. */
  readonly value?: JsonValue;
  /** When it was true at its source, ms UTC. */
  readonly at: number;
}

export interface KnownAlias {
  readonly groupKey: string;
  readonly source: string;
  readonly at: number;
}

/** A group identify as a mapping makes it, on its way to a message. */
export interface Identify {
  readonly source: string;
  readonly groupType: string;
  /** Null: it has to be resolved. */
  readonly groupKey: string | null;
  readonly aliases: readonly string[];
  /** Aliases of groups that were merged into this one: re-pointed, and their groups say so. */
  readonly mergedAliases: readonly string[];
  /** The key when no alias is known; null: there is none. */
  readonly fallbackKey: string | null;
  readonly properties: Readonly<JsonObject>;
  /** ms UTC. */
  readonly at: number;
  readonly receivedAt: number;
  /** Of the record, as its source has it. */
  readonly recordId: string;
  readonly uuid: string;
}

export type Change =
  | {
      readonly kind: "membership";
      readonly id: string;
      readonly groupType: string;
      readonly membership: Membership;
    }
  | { readonly kind: "owner"; readonly id: string; readonly owner: Owner }
  | {
      readonly kind: "group";
      readonly groupType: string;
      readonly groupKey: string;
      readonly source: string;
      readonly told: Readonly<Record<string, Told>>;
      /** Properties whose value is as it was, and when it was last true. */
      readonly restated: readonly string[];
      readonly restatedAt: number;
      readonly unsent: readonly string[];
      /** Properties that a message of seq `seq` carries. */
      readonly sent: readonly string[];
      readonly seq: number;
    }
  /** A message of seq `seq` carries properties once more, to one destination. */
  | ({ readonly kind: "resent" } & Resent)
  | {
      readonly kind: "alias";
      readonly groupType: string;
      readonly alias: string;
      readonly known: KnownAlias;
    }
  | ({ readonly kind: "collision" } & Collision)
  | { readonly kind: "park"; readonly identify: Identify }
  | { readonly kind: "release"; readonly uuid: string };

export interface Resent {
  readonly groupType: string;
  readonly groupKey: string;
  readonly destination: string;
  readonly names: readonly string[];
  readonly seq: number;
}

/** One alias that two groups claim. */
export interface Collision {
  readonly groupType: string;
  readonly alias: string;
  /** The group it belongs to now. */
  readonly groupKey: string;
  readonly otherKey: string;
  readonly source: string;
  readonly at: number;
}

/** Of one person: more are not looked through. */
export const MOST_IDS = 64;

/** Negative: the first is the newer. Total, so that what was said at one time has one order. */
export function compareMemberships(one: Membership, other: Membership): number {
  if (one.at !== other.at) return other.at - one.at;
  if (one.joins !== other.joins) return one.joins ? -1 : 1;
  return compareText(other.groupKey, one.groupKey);
}

/** Negative: the first stands earlier. */
export function compareOwners(one: Owner, other: Owner): number {
  if (one.at !== other.at) return one.at - other.at;
  return compareText(one.id, other.id);
}

/** In the order in which databases have text: that of its code points, not of its UTF-16 units. */
export function compareText(one: string, other: string): number {
  return one === other ? 0 : Buffer.compare(Buffer.from(one), Buffer.from(other));
}
