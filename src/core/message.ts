/** A message is what we deliver: a group identify or an event. Built once per record, kept as its final JSON text. */

import type { ByteWriter } from "./bytes.ts";
import { distinctIdProblem, fittingDistinctId, groupKeyProblem, groupSyncDistinctId, MAX_ID_BYTES } from "./group.ts";
import { spreadHash } from "./identity.ts";
import { isoTime } from "./iso-time.ts";
import type { JsonObject } from "./json.ts";
import type { ParcelWriter } from "./parcel.ts";
import type { RejectionReason } from "./record.ts";
import type { Uuid } from "./uuid.ts";

/** PostHog refuses events near 1 MB; 900,000 bytes is what holds in practice. */
export const MAX_MESSAGE_BYTES = 900_000;

/** What a mapping makes of a record. */
export type MessageDraft = GroupIdentifyDraft | EventDraft;

export interface GroupIdentifyDraft {
  readonly kind: "groupIdentify";
  readonly groupType: string;
  readonly groupKey: string;
  /** May be part of the record itself: never changed. */
  readonly properties: Readonly<JsonObject>;
}

export interface EventDraft {
  readonly kind: "event";
  readonly event: string;
  readonly distinctId: string;
  /** An object of its own, to be added to; what is in it may be part of the record, and is never changed. */
  readonly properties: JsonObject;
  /** Group type → group key. Empty: the event carries no `$groups`. */
  readonly groups: Readonly<Record<string, string>>;
}

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
  readonly uuid: string;
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
  readonly lanes: number;
}

/** Adds the message to the record begun in `parcel`, or says why PostHog would drop it or do nothing with it. */
export function writeMessage(
  draft: MessageDraft,
  context: MessageContext,
  parcel: ParcelWriter,
): MessageProblem | null {
  const fields = draft.kind === "event" ? eventFields(draft) : groupIdentifyFields(draft);
  if ("reason" in fields) return fields;
  parcel.beginMessage(context.uuid);
  writeText(fields, context, parcel.json);
  const bytes = parcel.messageBytes();
  if (bytes > MAX_MESSAGE_BYTES) {
    parcel.dropMessage();
    const detail = `The message has ${bytes} bytes; PostHog takes ${MAX_MESSAGE_BYTES}.`;
    return { reason: "message_too_large", detail };
  }
  parcel.endMessage(fields.orderingHash % context.lanes);
  return null;
}

function writeText(
  { event, distinctId, properties }: WireFields,
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
  out.text(JSON.stringify(properties));
  out.text("}");
}

interface WireFields {
  readonly event: string;
  readonly distinctId: string;
  readonly properties: JsonObject;
  /** Of what messages that must stay in order have in common. */
  readonly orderingHash: number;
}

const GROUP_HASH = spreadHash("g\0");
const PERSON_HASH = spreadHash("d\0");

function groupIdentifyFields({ groupType, groupKey, properties }: GroupIdentifyDraft): WireFields | MessageProblem {
  const keyProblem = groupKeyProblem(groupKey);
  if (keyProblem) return { reason: "invalid_group_key", detail: `Group type "${groupType}": ${keyProblem}.` };
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
    orderingHash: spreadHash(groupKey, spreadHash("\0", spreadHash(groupType, GROUP_HASH))),
  };
}

function eventFields({ event, distinctId, properties, groups }: EventDraft): WireFields | MessageProblem {
  if (event === "" || Buffer.byteLength(event) > MAX_ID_BYTES) {
    return {
      reason: "invalid_event_name",
      detail: `An event name has 1–${MAX_ID_BYTES} bytes; found ${Buffer.byteLength(event)}.`,
    };
  }
  const idProblem = distinctIdProblem(distinctId);
  if (idProblem) return { reason: "illegal_distinct_id", detail: `Distinct id: ${idProblem}.` };
  for (const groupType in groups) {
    const keyProblem = groupKeyProblem(groups[groupType] ?? "");
    if (keyProblem) return { reason: "invalid_group_key", detail: `Group type "${groupType}": ${keyProblem}.` };
    properties.$groups = groups as JsonObject;
  }
  // PostHog does nothing to the groups of a personless event.
  if (properties.$groups !== undefined && properties.$process_person_profile === false) {
    delete properties.$process_person_profile;
  }
  const fitting = fittingDistinctId(distinctId);
  return { event, distinctId: fitting, properties, orderingHash: spreadHash(fitting, PERSON_HASH) };
}
