/** What a mapping made of a record, as the plain JSON that examples are written in. */

import type { JsonObject } from "../json.ts";
import type { MessageDraft } from "../message.ts";
import type { Mapped } from "./mapping.ts";

/**
 * `{messages, problems}`. A message is `{groupType, groupKey, properties}` or `{event, distinctId, properties, groups}`,
 * empty properties and groups left out; a problem is its reason.
 */
export function outcomeOf({ drafts, problems }: Mapped): JsonObject {
  return { messages: drafts.map(plainDraft), problems: problems.map(({ reason }) => reason) };
}

function plainDraft(draft: MessageDraft): JsonObject {
  const properties = present("properties", draft.properties);
  if (draft.kind === "groupIdentify") {
    return { groupType: draft.groupType, groupKey: draft.groupKey, ...properties };
  }
  return { event: draft.event, distinctId: draft.distinctId, ...properties, ...present("groups", { ...draft.groups }) };
}

function present(key: string, object: JsonObject): JsonObject {
  return Object.keys(object).length > 0 ? { [key]: object } : {};
}
