/** A destination in small: what a group has after the differences it was sent, one after the other. */

import { changedGroup } from "../../../src/core/attribution/changed-group.ts";
import type { GroupState } from "../../../src/core/attribution/knowledge.ts";
import { type Difference, differenceOf } from "../../../src/core/attribution/properties.ts";
import { DEFAULT_GROUP_RULES, type GroupRules, type RulesBySource } from "../../../src/core/attribution/rules.ts";
import type { JsonObject } from "../../../src/core/json.ts";

export interface Saying {
  readonly source?: string;
  readonly at: number;
  readonly properties: JsonObject;
}

export interface GroupStore {
  /** What the destination got of it, and nothing else. */
  tell(saying: Saying): Difference;
  /** The last message with these properties never arrived. */
  lose(...names: readonly string[]): void;
  /** Of the group, at the destination. */
  properties(): JsonObject;
  state(): GroupState | null;
}

export function rulesFor(bySource: Readonly<Record<string, Partial<GroupRules>>>): RulesBySource {
  return Object.fromEntries(
    Object.entries(bySource).map(([source, rules]) => [source, { ...DEFAULT_GROUP_RULES, ...rules }]),
  );
}

/** Of the group `company` `acme`. A saying without a source is of `segment`. */
export function createGroupStore(rules: RulesBySource = {}): GroupStore {
  const properties = new Map<string, JsonObject[string]>();
  let state: GroupState | null = null;
  let seq = 0;
  return {
    tell({ source = "segment", at, properties: said }) {
      // As the ledger gives it: a text in between.
      const identify = {
        source,
        at,
        groupType: "company",
        groupKey: "acme",
        properties: JSON.parse(JSON.stringify(said)),
      };
      const difference = differenceOf(state, identify, rules);
      for (const [name, value] of Object.entries(difference.set)) properties.set(name, value);
      for (const name of difference.unset) properties.delete(name);
      const { change } = difference;
      if (change) state = JSON.parse(JSON.stringify(changedGroup(state, { ...change, seq: seq++ })));
      return difference;
    },
    lose(...names) {
      for (const name of names) properties.delete(name);
      if (state) state = { ...state, unsent: [...new Set([...state.unsent, ...names])] };
    },
    properties: () => Object.fromEntries(properties),
    state: () => state,
  };
}
