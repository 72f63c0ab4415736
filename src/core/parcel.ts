/**
 * Records and their messages as bytes: laid once, by whoever maps, then only copied, and kept as they are until they are
 * delivered.
 *
 * ids:      16 bytes a record
 * messages: for each record u32 messages · for each of them u32 lane · u32 bytes of its facts · facts · frame
 * facts:    what its attribution needs (core/attribution/facts.ts), UTF-8; none for a message that leaves as it is
 * origins:  where records come from (core/origin.ts), also those without a message
 * frame:    u32 bytes of the JSON text · 16 bytes uuid · JSON text (UTF-8). Numbers are little-endian.
 */

import { type ByteWriter, createByteWriter } from "./bytes.ts";
import { createMemoryPool, type MemoryPool } from "./memory-pool.ts";
import type { OutgoingMessage } from "./message.ts";
import { markAsMade, type RecordOrigin, writeOrigin } from "./origin.ts";
import { type Uuid, uuidTextAt } from "./uuid.ts";

export const ID_BYTES = 16;
export const FRAME_HEAD_BYTES = 4 + ID_BYTES;
/** Before the facts. */
const MESSAGE_HEAD_BYTES = 8;

export interface Parcel {
  readonly records: number;
  readonly messages: number;
  readonly ids: Uint8Array;
  readonly contents: Uint8Array;
  /** What its records say of people (core/attribution/facts.ts); empty: nothing. */
  readonly statements: string;
  /** Not needed for delivery: whoever traces a message wants to know. Empty: nobody says. */
  readonly origins: Uint8Array;
}

export interface ParcelWriter {
  /** Begins a record of this id (a recordUuid). One that gets no message is left out, but for its origin. */
  record(id: Uuid, origin?: RecordOrigin): void;
  /** Begins a message of the record: what is laid in `json` until `endMessage` is its text. */
  beginMessage(uuid: Uuid, facts?: string): void;
  /** A message as it stands elsewhere, without its facts. */
  copyMessage(lane: number, frame: Uint8Array): void;
  readonly json: ByteWriter;
  /** Bytes of the text of the message begun. */
  messageBytes(): number;
  endMessage(lane: number): void;
  /** Takes back the message begun. */
  dropMessage(): void;
  /** Ends the record begun. */
  endRecord(): void;
  /** What was written since the last time or since `clear`, its records ended; valid until more is written. */
  contents(): Buffer;
  /** What was written since the last time or since `clear`, in memory of its own. */
  take(statements?: string): Parcel;
  clear(): void;
}

/** Parcels of more than a few KB are in memory of `pool`; without one, in new memory. */
export function createParcelWriter(pool = createMemoryPool(0)): ParcelWriter {
  const ids = createByteWriter(4 * 1024);
  const json = createByteWriter();
  const origins = createByteWriter(4 * 1024);
  let records = 0;
  let messages = 0;
  /** Where the record and the message begun stand, and messages the record has so far. */
  let recordAt = 0;
  let messageAt = 0;
  let frameAt = 0;
  let ofRecord = 0;
  let originAt = NO_ORIGIN;

  function endRecord(): void {
    if (ofRecord > 0) {
      json.numberAt(recordAt, ofRecord);
      if (originAt !== NO_ORIGIN) markAsMade(origins, originAt);
      records += 1;
      messages += ofRecord;
    } else {
      json.cut(recordAt);
      ids.cut(records * ID_BYTES);
    }
    ofRecord = 0;
    originAt = NO_ORIGIN;
    recordAt = json.length;
  }

  function clear(): void {
    ids.cut(0);
    json.cut(0);
    origins.cut(0);
    records = 0;
    messages = 0;
    recordAt = 0;
    ofRecord = 0;
    originAt = NO_ORIGIN;
  }

  return {
    json,
    clear,
    endRecord,
    contents: () => json.view(0, json.length),
    record(id, origin) {
      endRecord();
      if (origin) originAt = writeOrigin(origin, origins);
      ids.uuid(id);
      json.number(0);
    },
    beginMessage(uuid, facts = "") {
      messageAt = json.length;
      json.number(0);
      json.number(0);
      if (facts !== "") {
        json.text(facts);
        json.numberAt(messageAt + 4, json.length - messageAt - MESSAGE_HEAD_BYTES);
      }
      frameAt = json.length;
      json.number(0);
      json.uuid(uuid);
    },
    copyMessage(lane, frame) {
      json.number(lane);
      json.number(0);
      json.bytes(frame);
      ofRecord += 1;
    },
    messageBytes: () => json.length - frameAt - FRAME_HEAD_BYTES,
    endMessage(lane) {
      json.numberAt(messageAt, lane);
      json.numberAt(frameAt, json.length - frameAt - FRAME_HEAD_BYTES);
      ofRecord += 1;
    },
    dropMessage: () => json.cut(messageAt),
    take(statements = "") {
      endRecord();
      const parcel = {
        records,
        messages,
        ids: copyOf(ids.view(0, ids.length), pool),
        contents: copyOf(json.view(0, json.length), pool),
        statements,
        origins: copyOf(origins.view(0, origins.length), pool),
      };
      clear();
      return parcel;
    },
  };
}

/** Small ones come out of memory they share: that costs less. */
function copyOf(bytes: Buffer, pool: MemoryPool): Uint8Array {
  if (bytes.length <= OWN_MEMORY_BYTES) return Buffer.from(bytes);
  const copy = new Uint8Array(pool.take(bytes.length), 0, bytes.length);
  copy.set(bytes);
  return copy;
}

const OWN_MEMORY_BYTES = 4 * 1024;
const NO_ORIGIN = -1;

/** A message in the contents of a parcel: places in its bytes. */
export interface MessagePlace {
  /** Of the record, from 0. */
  readonly record: number;
  readonly lane: number;
  readonly factsAt: number;
  /** Where the frame begins, and the facts end. */
  readonly frameAt: number;
  readonly end: number;
}

/** Every message of the contents that lie between two places, in order. */
export function* messagesIn(contents: Buffer, from: number, to: number): Iterable<MessagePlace> {
  for (let at = from, record = 0; at < to; record++) {
    let messages = contents.readUInt32LE(at);
    at += 4;
    for (; messages > 0; messages--) {
      const lane = contents.readUInt32LE(at);
      const factsAt = at + MESSAGE_HEAD_BYTES;
      const frameAt = factsAt + contents.readUInt32LE(at + 4);
      const end = frameAt + FRAME_HEAD_BYTES + contents.readUInt32LE(frameAt);
      yield { record, lane, factsAt, frameAt, end };
      at = end;
    }
  }
}

/** What a parcel holds, record by record. */
export function readParcel({ ids, contents }: Parcel): readonly ReadRecord[] {
  const buffer = Buffer.from(contents.buffer, contents.byteOffset, contents.byteLength);
  const records = Array.from({ length: ids.length / ID_BYTES }, (_, index) => {
    const id = uuidTextAt(Buffer.from(ids.buffer, ids.byteOffset), index * ID_BYTES);
    return { id, messages: [] as ReadMessage[] };
  });
  for (const { record, lane, factsAt, frameAt, end } of messagesIn(buffer, 0, buffer.length)) {
    records[record]?.messages.push({
      lane,
      uuid: uuidTextAt(buffer, frameAt + 4),
      facts: buffer.toString("utf8", factsAt, frameAt),
      json: buffer.toString("utf8", frameAt + FRAME_HEAD_BYTES, end),
    });
  }
  return records;
}

interface ReadMessage extends OutgoingMessage {
  readonly facts: string;
}

interface ReadRecord {
  readonly id: string;
  readonly messages: readonly ReadMessage[];
}
