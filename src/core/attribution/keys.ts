/** Which group a record is about: its own word, else what is known of the aliases it gives, else its fallback. */

import type { MessageProblem } from "../message.ts";
import type { Change, Identify, Knowledge } from "./knowledge.ts";
import type { GroupRules } from "./rules.ts";

export type Resolution =
  | {
      readonly groupKey: string;
      readonly learned: readonly string[];
      /** Keys of groups whose records were merged into one of this group. */
      readonly merged: readonly string[];
    }
  /** Nobody knows: it may wait. */
  | { readonly groupKey: null; readonly problem: MessageProblem }
  /** Never. */
  | { readonly refused: MessageProblem };

/** Learns the aliases of the record's group on the way, and notes every alias that two groups claim. */
export function resolveKey(knowledge: Knowledge, identify: Identify, { collision }: GroupRules): Resolution {
  const { groupType, aliases, mergedAliases } = identify;
  const known = [...aliases, ...mergedAliases].map((alias) => knowledge.alias(groupType, alias)?.groupKey);
  const sure = identify.groupKey ?? known.find((key) => key !== undefined);
  if (sure === undefined) return unsure(knowledge, identify);
  const refused = collision === "reject" ? collidingOf(knowledge, identify, sure) : null;
  if (refused) {
    for (const change of refused.changes) knowledge.apply(change);
    return { refused: refused.problem };
  }
  const merged = mergedKeys(knowledge, identify, sure);
  const changes = [
    ...aliases.flatMap((alias) => claim(knowledge, identify, { alias, groupKey: sure, collision })),
    ...mergedAliases.flatMap((alias) => repoint(knowledge, identify, alias, sure)),
  ];
  for (const change of changes) knowledge.apply(change);
  const learned = changes.flatMap((change) => (change.kind === "alias" ? [change.alias] : []));
  return { groupKey: sure, learned, merged };
}

/** A fallback teaches nothing: its group is given up as soon as an alias is learned. */
function unsure(knowledge: Knowledge, identify: Identify): Resolution {
  const { groupType, aliases, fallbackKey } = identify;
  if (fallbackKey !== null) {
    return { groupKey: fallbackKey, learned: [], merged: mergedKeys(knowledge, identify, fallbackKey) };
  }
  const given = aliases.length > 0 ? `none of its aliases is known (${aliases.join(", ")})` : "it gives no alias";
  const detail = `Group type "${groupType}": the record has no key of its own, and ${given}.`;
  return { groupKey: null, problem: { reason: "unresolved_group_key", detail } };
}

interface Claim {
  readonly alias: string;
  readonly groupKey: string;
  readonly collision: GroupRules["collision"];
}

function claim(knowledge: Knowledge, identify: Identify, { alias, groupKey, collision }: Claim): readonly Change[] {
  const { groupType, source, at } = identify;
  const before = knowledge.alias(groupType, alias);
  const learn: Change = { kind: "alias", groupType, alias, known: { groupKey, source, at } };
  if (!before) return [learn];
  if (before.groupKey === groupKey) return collision === "most_recent" && at > before.at ? [learn] : [];
  const moves = collision === "most_recent" && at >= before.at;
  const [now, other] = moves ? [groupKey, before.groupKey] : [before.groupKey, groupKey];
  const noted: Change = { kind: "collision", groupType, alias, groupKey: now, otherKey: other, source, at };
  return moves ? [learn, noted] : [noted];
}

/** Of what is re-pointed now; a record without an alias of its own may have had a group under its name. */
function mergedKeys(knowledge: Knowledge, identify: Identify, groupKey: string): readonly string[] {
  const { groupType, mergedAliases, at } = identify;
  const keys = mergedAliases.flatMap((alias) => {
    const before = knowledge.alias(groupType, alias);
    if (before) return before.at > at ? [] : [before.groupKey];
    return knowledge.group(groupType, alias) ? [alias] : [];
  });
  return [...new Set(keys)].filter((key) => key !== groupKey);
}

function repoint(knowledge: Knowledge, identify: Identify, alias: string, groupKey: string): readonly Change[] {
  const { groupType, source, at } = identify;
  const before = knowledge.alias(groupType, alias);
  // A merge that comes late has been overtaken by what was said after it.
  if (before && (before.groupKey === groupKey || before.at > at)) return [];
  return [{ kind: "alias", groupType, alias, known: { groupKey, source, at } }];
}

function collidingOf(knowledge: Knowledge, identify: Identify, groupKey: string) {
  const { groupType, aliases } = identify;
  const changes = aliases
    .flatMap((alias) => claim(knowledge, identify, { alias, groupKey, collision: "first" }))
    .filter((change) => change.kind === "collision");
  const [first] = changes;
  if (!first) return null;
  const detail =
    `Group type "${groupType}": ${first.alias} belongs to ${JSON.stringify(first.groupKey)}; ` +
    `the record claims it for ${JSON.stringify(groupKey)}.`;
  return { changes, problem: { reason: "alias_collision", detail } as const };
}
