/** What a mapping says of how its source's groups are told apart, kept and looked up. Plain data: it crosses threads. */

export interface GroupRules {
  /** As the mapping declares them: what an event can gain. */
  readonly groupTypes: readonly string[];
  /** A person in several groups of one type: the one joined last, or none of them. */
  readonly several: "latest" | "none";
  /** Before a person's first membership: no group, or the first that is known. */
  readonly beforeFirst: "none" | "first";
  /** Name of the property in which a group carries its key. */
  readonly keyProperty: string;
  /** Before the name of every property of this source. */
  readonly prefix: string;
  /** Whose word counts where sources differ: the higher; among equals the newer. */
  readonly precedence: Precedence;
  /** A property that is null: left as it is, set to null, or removed. */
  readonly nulls: "skip" | "set" | "unset";
  /** Patterns (`*` and `?`) of properties whose change alone sends nothing. Before the prefix. */
  readonly volatile: readonly string[];
  /** An alias that two groups claim: stays with the first, moves to the last, or the record is rejected. */
  readonly collision: "first" | "most_recent" | "reject";
  /** A record whose key nobody knows: kept until its alias is learned, or rejected. */
  readonly unresolved: "park" | "reject";
}

export interface Precedence {
  readonly default: number;
  readonly byProperty: Readonly<Record<string, number>>;
}

export const DEFAULT_GROUP_RULES: GroupRules = {
  groupTypes: [],
  several: "latest",
  beforeFirst: "none",
  keyProperty: "group_key",
  prefix: "",
  precedence: { default: 0, byProperty: {} },
  nulls: "skip",
  volatile: [],
  collision: "first",
  unresolved: "reject",
};

/** By name of the source. */
export type RulesBySource = Readonly<Record<string, GroupRules>>;

export function rulesOf(rules: RulesBySource, source: string): GroupRules {
  return Object.hasOwn(rules, source) ? (rules[source] ?? DEFAULT_GROUP_RULES) : DEFAULT_GROUP_RULES;
}
