/** A message whose text somebody changed, to be delivered in place of the one that was given up. */

import { isJsonObject, type JsonObject } from "./json.ts";
import { GROUP_UNSET, type GroupUnsetDraft, type MessageDraft, writeMessage } from "./message.ts";
import { createParcelWriter, readParcel } from "./parcel.ts";
import { uuidOf } from "./uuid.ts";

export interface EditOptions {
  readonly lanes: number;
  /** Those declared. */
  readonly groupTypes: readonly string[];
  /** The text of a message about a group, with its properties as they are known now. */
  readonly refresh: (json: string) => string;
}

export interface EditedMessage {
  readonly json: string;
  readonly lane: number;
}

export interface EditProblem {
  readonly code: "INPUT_INVALID" | "NOT_FOUND";
  /** One sentence: where, what was found, what is allowed. */
  readonly detail: string;
  /** What can be done about it, where that is not to write another text. */
  readonly hint?: string;
}

const FIELDS = ["event", "distinct_id", "uuid", "timestamp", "properties"] as const;
/** By which destinations know a message again. */
const IDENTITY = ["uuid", "timestamp"] as const;
const GROUP_IDENTIFY = "$groupidentify";

/**
 * The message as it goes back into the outbox: what a mapping could have made, of the same uuid and timestamp. Of a group,
 * what was not changed is as it is known now: an old value must not come after a newer one.
 */
export function editedMessage(original: string, edited: string, options: EditOptions): EditedMessage | EditProblem {
  const before = parse(original);
  const after = parse(edited);
  if (!isJsonObject(after)) return problem("The text is not one JSON object.");
  if (!isJsonObject(before)) return problem("The dead letter itself is no message that could be changed: drop it.");
  const unknown = Object.keys(after).find((name) => !FIELDS.some((field) => field === name));
  if (unknown !== undefined) return problem(`Found ${JSON.stringify(unknown)}; allowed are ${FIELDS.join(", ")}.`);
  for (const name of IDENTITY) {
    if (after[name] === before[name]) continue;
    return problem(`${name} must stay ${JSON.stringify(before[name])}; found ${JSON.stringify(after[name])}.`);
  }
  const draft = draftOf(before, after, options);
  return "detail" in draft ? draft : written(draft, after, options);
}

function draftOf(
  before: JsonObject,
  after: JsonObject,
  { groupTypes, refresh }: EditOptions,
): MessageDraft | GroupUnsetDraft | EditProblem {
  const { event, distinct_id: distinctId, properties } = after;
  if (typeof event !== "string") return problem("event: a text is needed.");
  if (typeof distinctId !== "string") return problem("distinct_id: a text is needed.");
  if (!isJsonObject(properties)) return problem("properties: an object is needed.");
  if (isAboutGroup(event) || isAboutGroup(before.event)) {
    const same = ["event", "distinct_id"].find((name) => after[name] !== before[name]);
    if (same !== undefined)
      return problem(`${same} must stay ${JSON.stringify(before[same])}: the message is of a group.`);
    const now = parse(refresh(JSON.stringify(after)));
    return groupDraft(event, properties, { groupTypes, known: knownNow(before, after, now), unset: listIn(now) });
  }
  const { $groups = {}, ...rest } = properties;
  if (!isJsonObject($groups)) return problem("$groups: an object is needed.");
  const groups: Record<string, string> = {};
  for (const [groupType, groupKey] of Object.entries($groups)) {
    if (!groupTypes.includes(groupType)) return undeclared(groupType, groupTypes);
    if (typeof groupKey !== "string") return problem(`$groups.${groupType}: a text is needed.`);
    groups[groupType] = groupKey;
  }
  return { kind: "event", event, distinctId, properties: rest, groups };
}

function groupDraft(
  event: string,
  { $group_type: groupType, $group_key: groupKey, $group_set: set, $group_unset: names, ...more }: JsonObject,
  { groupTypes, known, unset }: GroupKnown,
): MessageDraft | GroupUnsetDraft | EditProblem {
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) return problem(`properties.${unknown} has no place in a message about a group.`);
  if (typeof groupType !== "string" || !groupTypes.includes(groupType)) return undeclared(groupType, groupTypes);
  if (typeof groupKey !== "string") return problem("$group_key: a text is needed.");
  if (event === GROUP_UNSET) {
    if (!Array.isArray(names) || !names.every(isText)) return problem("$group_unset: a list of names is needed.");
    return { kind: "groupUnset", groupType, groupKey, properties: unset };
  }
  if (!isJsonObject(set)) return problem("$group_set: an object is needed.");
  return { kind: "groupIdentify", groupType, groupKey, properties: { ...set, ...known } };
}

interface GroupKnown extends Pick<EditOptions, "groupTypes"> {
  /** Of the properties that were left as they were, the values that are known now. */
  readonly known: JsonObject;
  /** What still has to be removed. */
  readonly unset: readonly string[];
}

function knownNow(before: JsonObject, after: JsonObject, now: unknown): JsonObject {
  const [was, is] = [setIn(before), setIn(after)];
  const left = Object.entries(setIn(now)).filter(([name]) => JSON.stringify(was[name]) === JSON.stringify(is[name]));
  return Object.fromEntries(left);
}

function setIn(message: unknown): JsonObject {
  const set = propertiesOf(message).$group_set;
  return isJsonObject(set) ? set : {};
}

function listIn(message: unknown): readonly string[] {
  const names = propertiesOf(message).$group_unset;
  return Array.isArray(names) ? names.filter(isText) : [];
}

function propertiesOf(message: unknown): JsonObject {
  return isJsonObject(message) && isJsonObject(message.properties) ? message.properties : {};
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function written(
  draft: MessageDraft | GroupUnsetDraft,
  { uuid, timestamp }: JsonObject,
  { lanes }: EditOptions,
): EditedMessage | EditProblem {
  const occurredAt = Date.parse(String(timestamp));
  if (Number.isNaN(occurredAt)) return problem("The dead letter itself has no time: drop it.");
  const parcel = createParcelWriter();
  const id = uuidOf(String(uuid));
  parcel.record(id);
  const found = writeMessage(draft, { uuid: id, occurredAt, lanes }, parcel);
  if (found) return problem(found.detail);
  const message = readParcel(parcel.take())[0]?.messages[0];
  return message ? { json: message.json, lane: message.lane } : problem("It makes no message.");
}

function isAboutGroup(event: unknown): boolean {
  return event === GROUP_IDENTIFY || event === GROUP_UNSET;
}

function undeclared(groupType: unknown, groupTypes: readonly string[]): EditProblem {
  return problem(`Found the group type ${JSON.stringify(groupType)}; declared are ${groupTypes.join(", ") || "none"}.`);
}

function problem(detail: string): EditProblem {
  return { code: "INPUT_INVALID", detail };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
