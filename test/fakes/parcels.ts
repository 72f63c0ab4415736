/** Messages and parcels of them, made outside ingest. */

import {
  type GroupUnsetDraft,
  type MessageContext,
  type MessageDraft,
  type OutgoingMessage,
  writeMessage,
} from "../../src/core/message.ts";
import { createParcelWriter, type Parcel, readParcel } from "../../src/core/parcel.ts";
import { uuidOf } from "../../src/core/uuid.ts";

const RECORD = uuidOf("00000000-0000-7000-8000-000000000000");

/** Each record with its id and messages, whatever their text. */
export function parcelOf(
  records: readonly { readonly id: string; readonly messages: readonly OutgoingMessage[] }[],
): Parcel {
  const parcel = createParcelWriter();
  for (const { id, messages } of records) {
    parcel.record(uuidOf(id));
    for (const { uuid, lane, json } of messages) {
      parcel.beginMessage(uuidOf(uuid));
      parcel.json.text(json);
      parcel.endMessage(lane);
    }
  }
  return parcel.take();
}

/** The message a draft makes. Throws if it makes none. */
export function messageFrom(
  draft: MessageDraft | GroupUnsetDraft,
  context: Omit<MessageContext, "uuid"> & { readonly uuid: string },
): OutgoingMessage {
  const parcel = createParcelWriter();
  parcel.record(RECORD);
  const problem = writeMessage(draft, { ...context, uuid: uuidOf(context.uuid) }, parcel);
  if (problem) throw new Error(problem.detail);
  const message = readParcel(parcel.take())[0]?.messages[0];
  if (!message) throw new Error("no message was written");
  return message;
}
