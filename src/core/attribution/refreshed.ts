/** A message about a group that is sent again later than others after it. */

import type { JsonObject } from "../json.ts";
import { setOwn } from "../mapping/own.ts";
import { groupPropertiesIn } from "../message.ts";
import type { Knowledge } from "./knowledge.ts";
import { effectiveOf } from "./properties.ts";
import type { RulesBySource } from "./rules.ts";

/**
 * The text of a message with each property as it is known now: PostHog applies properties in the order in which they
 * arrive, and an old value must not come after a newer one. Id and time stay. What is about no known group stays as it is.
 */
export function refreshed(json: string, knowledge: Pick<Knowledge, "group">, rules: RulesBySource): string {
  const said = groupPropertiesIn(json);
  const state = said && knowledge.group(said.groupType, said.groupKey);
  if (!said || !state) return json;
  const message = JSON.parse(json);
  const { $group_set: set, $group_unset: unset } = message.properties;
  if (unset) {
    const gone = said.names.filter((name) => effectiveOf(state, name, rules) === undefined);
    message.properties.$group_unset = gone;
    return JSON.stringify(message);
  }
  const now: JsonObject = {};
  for (const name of said.names) setOwn(now, name, effectiveOf(state, name, rules) ?? set[name]);
  message.properties.$group_set = now;
  return JSON.stringify(message);
}
