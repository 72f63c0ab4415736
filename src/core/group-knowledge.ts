/** What a ledger says that it knows of groups and keys, and what of it each destination was sent. */

import type { Collision, Identify } from "./attribution/knowledge.ts";
import type { JsonValue } from "./json.ts";

export interface GroupKnowledgeQuery {
  readonly groupType: string;
  readonly groupKey: string;
  readonly limit: number;
}

export interface GroupKnowledge {
  readonly groupType: string;
  readonly groupKey: string;
  readonly aliases: readonly string[];
  readonly properties: readonly KnownProperty[];
  /** Everybody who ever joined it, by id. */
  readonly members: readonly KnownMember[];
  readonly hasMoreMembers: boolean;
}

export interface KnownProperty {
  readonly name: string;
  /** Absent: it was removed. */
  readonly value: JsonValue | undefined;
  /** Whose word counts, and when it was true there (ms UTC). Null: it was removed. */
  readonly source: string | null;
  readonly at: number | null;
  /** By destination. */
  readonly delivered: Readonly<Record<string, Arrival>>;
  /** What other sources say. */
  readonly others: readonly { readonly source: string; readonly value: JsonValue | undefined; readonly at: number }[];
}

/**
 * When a property was delivered (ms UTC); null: too long ago to be known; `unsent`: its value was not sent, or never
 * arrived, and the next identify has it; `never`: it was sent before there was this destination.
 */
export type Arrival = number | "waiting" | "unsent" | "never" | null;

export interface HeldGroupsQuery {
  readonly destination: string;
  /** Those of keys, or a page of all by type and key: after one (null: from the first), at most `limit`, all of them if there are fewer. */
  readonly which:
    | { readonly groupType: string; readonly groupKeys: readonly string[] }
    | { readonly after: { readonly groupType: string; readonly groupKey: string } | null; readonly limit: number };
}

/** What a destination was sent of a group: what sources told and nothing else. */
export interface HeldGroup {
  readonly groupType: string;
  readonly groupKey: string;
  readonly properties: Readonly<Record<string, HeldProperty>>;
}

export interface HeldProperty {
  /** Absent: it was removed. */
  readonly value?: JsonValue;
  readonly arrival: Arrival;
}

export interface GroupRepair {
  readonly groupType: string;
  readonly groupKey: string;
  /** Properties to be said again, or removed again. */
  readonly names: readonly string[];
}

export interface RepairCounts {
  /** Messages queued that set properties, and that remove some. */
  readonly identifies: number;
  readonly removals: number;
}

export interface KnownMember {
  readonly id: string;
  /** The last time, ms UTC. */
  readonly joinedAt: number;
  /** False: it left, or joined another. */
  readonly isMember: boolean;
}

export interface KeysReport {
  readonly aliases: number;
  readonly collisionCount: number;
  /** Aliases that two groups claim. */
  readonly collisions: readonly Collision[];
  readonly parkedCount: number;
  /** Records that wait for an alias, the first first. */
  readonly parked: readonly Pick<Identify, "source" | "groupType" | "recordId" | "aliases" | "at">[];
  /** Keys that more than one group type has: PostHog may take the properties of one for those of the other. */
  readonly shared: readonly { readonly groupKey: string; readonly groupTypes: readonly string[] }[];
}
