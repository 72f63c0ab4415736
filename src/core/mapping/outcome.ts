/** What a mapping made of a record, as the plain JSON that examples are written in. */

import type { JsonObject } from "../json.ts";
import type { KeyHints, MessageDraft, Statement } from "../message.ts";
import type { Mapped } from "./mapping.ts";

/**
 * `{messages, statements, problems}`. A message is `{groupType, groupKey, properties}` or
 * `{event, distinctId, properties, groups, groupsOf}`, a statement `{member, groupType, joins}`, `{member, groupType, leaves}`
 * or `{id, earlierId}`; what is empty is left out, statements too. A problem is its reason.
 */
export function outcomeOf({
  drafts,
  statements,
  problems,
}: Pick<Mapped, "drafts" | "statements" | "problems">): JsonObject {
  return {
    messages: drafts.map(plainDraft),
    ...(statements.length > 0 ? { statements: statements.map(plainStatement) } : {}),
    problems: problems.map(({ reason }) => reason),
  };
}

function plainStatement(statement: Statement): JsonObject {
  if (statement.kind === "join") return { id: statement.id, earlierId: statement.earlierId };
  const { ids, groupType, groupKey, joins } = statement;
  return { member: [...ids], groupType, [joins ? "joins" : "leaves"]: groupKey };
}

function plainDraft(draft: MessageDraft): JsonObject {
  const properties = present("properties", draft.properties);
  if (draft.kind === "groupIdentify") {
    const key = draft.groupKey === null ? {} : { groupKey: draft.groupKey };
    return { groupType: draft.groupType, ...key, ...plainKeys(draft.keys), ...properties };
  }
  const groups = present("groups", { ...draft.groups });
  const groupsOf = draft.groupsOf ? { groupsOf: [...draft.groupsOf] } : {};
  return { event: draft.event, distinctId: draft.distinctId, ...properties, ...groups, ...groupsOf };
}

function plainKeys(keys: KeyHints | undefined): JsonObject {
  if (!keys) return {};
  const { aliases, mergedAliases, fallbackKey } = keys;
  return {
    ...(aliases.length > 0 ? { aliases: [...aliases] } : {}),
    ...(mergedAliases.length > 0 ? { mergedAliases: [...mergedAliases] } : {}),
    ...(fallbackKey === null ? {} : { fallbackKey }),
  };
}

function present(key: string, object: JsonObject): JsonObject {
  return Object.keys(object).length > 0 ? { [key]: object } : {};
}
