/** A message is what we deliver: a group identify or an event. Built once per record, kept as its final JSON text. */

import type { ByteWriter } from "./bytes.ts";
import { distinctIdProblem, fittingDistinctId, groupKeyProblem, groupSyncDistinctId, MAX_ID_BYTES } from "./group.ts";
import { groupHash, personHash } from "./identity.ts";
import { isoTime } from "./iso-time.ts";
import type { JsonObject } from "./json.ts";
import type { ParcelWriter } from "./parcel.ts";
import { isPersonless } from "./personless.ts";
import type { RejectionReason } from "./record.ts";
import { firstLaneOf, type Service } from "./service.ts";
import type { Uuid } from "./uuid.ts";

/** PostHog refuses events near 1 MB; 900,000 bytes is what holds in practice, all that is added on the way included. */
export const MAX_EVENT_BYTES = 900_000;
/** Leaves room for the groups an event gains and for what destinations add. */
export const MAX_MESSAGE_BYTES = MAX_EVENT_BYTES - 4_000;

/** What a mapping makes of a record. */
export type MessageDraft = GroupIdentifyDraft | EventDraft;

export interface GroupIdentifyDraft {
  readonly kind: "groupIdentify";
  readonly groupType: string;
  /** Null: to be resolved by `keys`. */
  readonly groupKey: string | null;
  /** May be part of the record itself: never changed. */
  readonly properties: Readonly<JsonObject>;
  readonly keys?: KeyHints;
}

/** How a record's group may be known beside its key. */
export interface KeyHints {
  /** Other names of the group, such as `hubspot:123` or `domain:acme.com`. */
  readonly aliases: readonly string[];
  /** Aliases of groups that were merged into this one. */
  readonly mergedAliases: readonly string[];
  /** The key when no alias is known. */
  readonly fallbackKey: string | null;
}

export interface EventDraft {
  readonly kind: "event";
  readonly event: string;
  readonly distinctId: string;
  /** An object of its own, to be added to; what is in it may be part of the record, and is never changed. */
  readonly properties: JsonObject;
  /** Group type → group key. Empty: the event carries no `$groups`. */
  readonly groups: Readonly<Record<string, string>>;
  /** Ids of the person whose memberships give the group types that `groups` lacks; the one that counts most first. */
  readonly groupsOf?: readonly string[];
}

/** What is to be removed from a group. */
export interface GroupUnsetDraft {
  readonly kind: "groupUnset";
  readonly groupType: string;
  readonly groupKey: string;
  readonly properties: readonly string[];
}

/** What a record says of people, beside the messages it makes. */
export type Statement =
  | {
      readonly kind: "membership";
      /** Of the person, the one that counts most first. */
      readonly ids: readonly string[];
      readonly groupType: string;
      /** Empty with `joins` false: whatever group. */
      readonly groupKey: string;
      /** False: leaves it. */
      readonly joins: boolean;
    }
  /** The two ids are one person's. */
  | { readonly kind: "join"; readonly id: string; readonly earlierId: string };

/** On its way into the ledger, taken out of its parcel. */
export interface OutgoingMessage {
  readonly uuid: string;
  readonly lane: number;
  /**
   * `{"event","distinct_id","uuid","timestamp","properties":{…}}`, the keys in this order. `properties` comes last, so
   * that a destination can add what is its own before the closing `}}` without parsing.
   */
  readonly json: string;
}

/** On its way out of the ledger. */
export interface OutboxMessage {
  /** Rises within a lane. */
  readonly seq: number;
  readonly lane: number;
  /** Whether its lane is one of the historical service. */
  readonly historical: boolean;
  /** UTF-8 of the JSON text. */
  readonly body: Uint8Array;
  /** Failed attempts so far by this destination, and when the first was made (ms UTC; null if none). */
  readonly attempts: number;
  readonly firstAttemptAt: number | null;
}

export interface MessageProblem {
  readonly reason: RejectionReason;
  readonly detail: string;
}

export interface MessageContext {
  readonly uuid: Uuid;
  /** When the record happened, in ms UTC. */
  readonly occurredAt: number;
  /** Of each service. */
  readonly lanes: number;
  /** Of an event; what is about a group is always live. Default live. */
  readonly service?: Service;
}

/** Adds the message to the record begun in `parcel`, with what its attribution needs, or says why PostHog would drop it or do nothing with it. */
export function writeMessage(
  draft: MessageDraft | GroupUnsetDraft,
  context: MessageContext,
  parcel: ParcelWriter,
  facts = "",
): MessageProblem | null {
  const fields = fieldsOf(draft);
  if ("reason" in fields) return fields;
  const properties = writtenOrProblem(() => JSON.stringify(fields.properties));
  if (typeof properties !== "string") return properties;
  // Before it is laid: what is far too large would take its memory twice.
  if (properties.length > MAX_MESSAGE_BYTES) return sizeProblem(Buffer.byteLength(properties));
  parcel.beginMessage(context.uuid, facts);
  writeText({ ...fields, properties }, context, parcel.json);
  const problem = sizeProblem(parcel.messageBytes());
  if (problem) parcel.dropMessage();
  else parcel.endMessage(laneOf(draft, fields, context));
  return problem;
}

function laneOf(
  { kind }: MessageDraft | GroupUnsetDraft,
  { orderingHash }: WireFields,
  { lanes, service = "live" }: MessageContext,
): number {
  return firstLaneOf(kind === "event" ? service : "live", lanes) + (orderingHash % lanes);
}

/** The text; or the problem with what nests too deeply for the stack, or would be longer than any text may be. */
export function writtenOrProblem(write: () => string): string | MessageProblem {
  try {
    return write();
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    return { reason: "mapping_failed", detail: `What was made cannot be written as JSON: ${thrown.message}.` };
  }
}

/** Why PostHog would not take a message of so many bytes, or null. */
export function sizeProblem(bytes: number): MessageProblem | null {
  if (bytes <= MAX_MESSAGE_BYTES) return null;
  return {
    reason: "message_too_large",
    detail: `The message has ${bytes} bytes; PostHog takes ${MAX_MESSAGE_BYTES}.`,
  };
}

function fieldsOf(draft: MessageDraft | GroupUnsetDraft): WireFields | MessageProblem {
  switch (draft.kind) {
    case "event":
      return eventFields(draft);
    case "groupIdentify":
      return groupIdentifyFields(draft);
    case "groupUnset":
      return groupUnsetFields(draft);
  }
}

function writeText(
  { event, distinctId, properties }: Pick<WireFields, "event" | "distinctId"> & { readonly properties: string },
  { uuid, occurredAt }: MessageContext,
  out: ByteWriter,
) {
  out.text('{"event":');
  out.quoted(event);
  out.text(',"distinct_id":');
  out.quoted(distinctId);
  out.text(',"uuid":"');
  out.uuidText(uuid);
  out.text('","timestamp":"');
  out.text(isoTime(occurredAt));
  out.text('","properties":');
  out.text(properties);
  out.text("}");
}

interface WireFields {
  readonly event: string;
  readonly distinctId: string;
  readonly properties: JsonObject;
  /** Of what messages that must stay in order have in common. */
  readonly orderingHash: number;
}

/** The event that tells destinations to remove properties of a group. */
export const GROUP_UNSET = "$group_unset";
/** From a sender they would pass by what is known of groups, and by the group types declared. */
const OWN_EVENTS: ReadonlySet<string> = new Set(["$groupidentify", GROUP_UNSET]);

function groupIdentifyFields({ groupType, groupKey, properties }: GroupIdentifyDraft): WireFields | MessageProblem {
  const problem = keyProblem(groupType, groupKey);
  if (problem || groupKey === null) return problem ?? unresolved(groupType);
  const listed = Object.keys(properties).length > 0;
  return {
    event: "$groupidentify",
    distinctId: groupSyncDistinctId(groupType, groupKey),
    properties: {
      $group_type: groupType,
      $group_key: groupKey,
      // A group without any property stays out of PostHog's list of groups.
      $group_set: listed ? properties : { group_key: groupKey },
    },
    orderingHash: groupHash(groupType, groupKey),
  };
}

/** PostHog has no event for it: its destination makes a call of its REST API of it. */
function groupUnsetFields({ groupType, groupKey, properties }: GroupUnsetDraft): WireFields {
  return {
    event: GROUP_UNSET,
    distinctId: groupSyncDistinctId(groupType, groupKey),
    properties: { $group_type: groupType, $group_key: groupKey, $group_unset: [...properties] },
    orderingHash: groupHash(groupType, groupKey),
  };
}

/** Why PostHog would not take the group of a group identify, or null. */
export function keyProblem(groupType: string, groupKey: string | null): MessageProblem | null {
  const problem = groupKey === null ? null : groupKeyProblem(groupKey);
  return problem === null ? null : { reason: "invalid_group_key", detail: `Group type "${groupType}": ${problem}.` };
}

function unresolved(groupType: string): MessageProblem {
  return { reason: "unresolved_group_key", detail: `Group type "${groupType}": the record has no key of its own.` };
}

function eventFields({ event, distinctId, properties, groups }: EventDraft): WireFields | MessageProblem {
  if (event === "" || Buffer.byteLength(event) > MAX_ID_BYTES) {
    return {
      reason: "invalid_event_name",
      detail: `An event name has 1–${MAX_ID_BYTES} bytes; found ${Buffer.byteLength(event)}.`,
    };
  }
  if (OWN_EVENTS.has(event)) {
    const detail = `An event cannot be named ${event}: a mapping makes a group identify by groupIdentify.`;
    return { reason: "invalid_event_name", detail };
  }
  const idProblem = distinctIdProblem(distinctId);
  if (idProblem) return { reason: "illegal_distinct_id", detail: `Distinct id: ${idProblem}.` };
  for (const groupType in groups) {
    const problem = keyProblem(groupType, groups[groupType] ?? "");
    if (problem) return problem;
    properties.$groups = groups as JsonObject;
  }
  // PostHog does nothing to the groups of a personless event.
  if (properties.$groups !== undefined && isPersonless(properties)) delete properties.$process_person_profile;
  const fitting = fittingDistinctId(distinctId);
  return { event, distinctId: fitting, properties, orderingHash: personHash(fitting) };
}

const GROUP_UNSET_HEAD = Buffer.from(`{"event":"${GROUP_UNSET}"`);

/** Whether a message's text removes properties of a group: no event that PostHog knows. */
export function isGroupUnset(body: Uint8Array): boolean {
  const { length } = GROUP_UNSET_HEAD;
  return body[length - 1] === GROUP_UNSET_HEAD[length - 1] && GROUP_UNSET_HEAD.equals(body.subarray(0, length));
}

/** When the message happened, ms UTC, read from its text; NaN: it does not say so in the way a message does. */
export function occurredAtOf(body: Uint8Array): number {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  // What comes before it are ids and names, in which a quote would stand behind a backslash.
  const at = text.indexOf(TIMESTAMP_KEY);
  if (at < 0) return Number.NaN;
  const from = at + TIMESTAMP_KEY.length;
  return Date.parse(text.toString("latin1", from, text.indexOf('"', from)));
}

const TIMESTAMP_KEY = Buffer.from('"timestamp":"');

/** Which properties of which group the text of a message sets or removes; null: it is about none, or no such text. */
export function groupPropertiesIn(
  json: string,
): { readonly groupType: string; readonly groupKey: string; readonly names: readonly string[] } | null {
  if (!GROUP_MESSAGE.test(json)) return null;
  try {
    const { $group_type: groupType, $group_key: groupKey, $group_set: set, $group_unset } = JSON.parse(json).properties;
    const names: unknown = $group_unset ?? Object.keys(set);
    const isOurs = typeof groupType === "string" && typeof groupKey === "string" && Array.isArray(names);
    return isOurs && names.every((name) => typeof name === "string") ? { groupType, groupKey, names } : null;
  } catch {
    return null;
  }
}

const GROUP_MESSAGE = /^\{"event":"\$group(?:identify|_unset)"/;
