/** What a mapping writes under `groups`, with what it leaves open. */

import { DEFAULT_GROUP_RULES, type GroupRules, type Precedence } from "../attribution/rules.ts";
import type { EffectiveFile } from "./effective.ts";

export function groupRulesOf({ groups }: Pick<EffectiveFile, "groups">, groupTypes: readonly string[]): GroupRules {
  const written = Object.fromEntries([...groups].map(([key, { value }]) => [key, value]));
  const { precedence } = written;
  return {
    ...DEFAULT_GROUP_RULES,
    // Checked by zod under the same names.
    ...(written as Partial<GroupRules>),
    groupTypes,
    precedence: precedenceOf(precedence as number | Readonly<Record<string, number>> | undefined),
  };
}

export function usesMemberships({ rules }: Pick<EffectiveFile, "rules">): boolean {
  return (
    rules.some(({ parts }) => parts.has("membership.of")) && rules.some(({ parts }) => parts.has("event.groupsOf"))
  );
}

function precedenceOf(written: number | Readonly<Record<string, number>> | undefined): Precedence {
  if (written === undefined) return DEFAULT_GROUP_RULES.precedence;
  if (typeof written === "number") return { default: written, byProperty: {} };
  const { default: others = 0, ...byProperty } = written;
  return { default: others, byProperty };
}
