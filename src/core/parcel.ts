/**
 * Records and their messages as bytes: laid once, by whoever maps, then only copied, and kept as they are until they are
 * delivered.
 *
 * ids:      16 bytes a record
 * messages: for each record u32 messages · for each of them u32 lane · frame
 * frame:    u32 bytes of the JSON text · 16 bytes uuid · JSON text (UTF-8). Numbers are little-endian.
 */

import { type ByteWriter, createByteWriter } from "./bytes.ts";
import { createMemoryPool, type MemoryPool } from "./memory-pool.ts";
import type { OutgoingMessage } from "./message.ts";
import { type Uuid, uuidTextAt } from "./uuid.ts";

export const ID_BYTES = 16;
export const FRAME_HEAD_BYTES = 4 + ID_BYTES;

export interface Parcel {
  readonly records: number;
  readonly messages: number;
  readonly ids: Uint8Array;
  readonly contents: Uint8Array;
}

export interface ParcelWriter {
  /** Begins a record of this id (a recordUuid). One that gets no message is left out. */
  record(id: Uuid): void;
  /** Begins a message of the record: what is laid in `json` until `endMessage` is its text. */
  beginMessage(uuid: Uuid): void;
  readonly json: ByteWriter;
  /** Bytes of the text of the message begun. */
  messageBytes(): number;
  endMessage(lane: number): void;
  /** Takes back the message begun. */
  dropMessage(): void;
  /** What was written since the last time or since `clear`, in memory of its own. */
  take(): Parcel;
  clear(): void;
}

/** Parcels of more than a few KB are in memory of `pool`; without one, in new memory. */
export function createParcelWriter(pool = createMemoryPool(0)): ParcelWriter {
  const ids = createByteWriter(4 * 1024);
  const json = createByteWriter();
  let records = 0;
  let messages = 0;
  /** Where the record and the message begun stand, and messages the record has so far. */
  let recordAt = 0;
  let messageAt = 0;
  let ofRecord = 0;

  function endRecord(): void {
    if (ofRecord > 0) {
      json.numberAt(recordAt, ofRecord);
      records += 1;
      messages += ofRecord;
    } else {
      json.cut(recordAt);
      ids.cut(records * ID_BYTES);
    }
    ofRecord = 0;
  }

  function clear(): void {
    ids.cut(0);
    json.cut(0);
    records = 0;
    messages = 0;
    recordAt = 0;
    ofRecord = 0;
  }

  return {
    json,
    clear,
    record(id) {
      endRecord();
      recordAt = json.length;
      ids.uuid(id);
      json.number(0);
    },
    beginMessage(uuid) {
      messageAt = json.length;
      json.number(0);
      json.number(0);
      json.uuid(uuid);
    },
    messageBytes: () => json.length - messageAt - 4 - FRAME_HEAD_BYTES,
    endMessage(lane) {
      json.numberAt(messageAt, lane);
      json.numberAt(messageAt + 4, json.length - messageAt - 4 - FRAME_HEAD_BYTES);
      ofRecord += 1;
    },
    dropMessage: () => json.cut(messageAt),
    take() {
      endRecord();
      const parcel = {
        records,
        messages,
        ids: copyOf(ids.view(0, ids.length), pool),
        contents: copyOf(json.view(0, json.length), pool),
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

/** What a parcel holds, record by record. */
export function readParcel({ ids, contents }: Parcel): readonly { id: string; messages: readonly OutgoingMessage[] }[] {
  const buffer = Buffer.from(contents.buffer, contents.byteOffset, contents.byteLength);
  let at = 0;
  return Array.from({ length: ids.length / ID_BYTES }, (_, index) => {
    const messages: OutgoingMessage[] = [];
    const count = buffer.readUInt32LE(at);
    at += 4;
    while (messages.length < count) {
      const lane = buffer.readUInt32LE(at);
      const from = at + 4 + FRAME_HEAD_BYTES;
      const end = from + buffer.readUInt32LE(at + 4);
      messages.push({ lane, uuid: uuidTextAt(buffer, at + 8), json: buffer.toString("utf8", from, end) });
      at = end;
    }
    return { id: uuidTextAt(Buffer.from(ids.buffer, ids.byteOffset), index * ID_BYTES), messages };
  });
}
