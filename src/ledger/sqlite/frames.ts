/**
 * Commits and messages as bytes, so that they cross threads in one buffer and rest in the outbox as they came.
 *
 * frame:  u32 length of the JSON text · 16 bytes uuid · JSON text (UTF-8)
 * record: 16 bytes id · u32 messages · for each: u32 lane · frame
 * commit: u32 records · record… · text rejections · text checkpoint name · text cursor
 * group:  u32 commits · commit…
 * text:   u32 length (NO_TEXT: null) · UTF-8. Numbers are little-endian.
 */

import type { Commit } from "../../core/ledger.ts";
import type { OutgoingMessage } from "../../core/message.ts";

export const FRAME_HEAD_BYTES = 20;
const ID_BYTES = 16;
const NO_TEXT = 0xffffffff;
/** UTF-8 needs at most this many bytes for a UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

/** About how many bytes `commit` takes in a group. */
export function commitBytes({ records, rejections }: Commit): number {
  let bytes = 64 + rejections.length * 512;
  for (const { messages } of records) {
    bytes += ID_BYTES + 4;
    for (const { json } of messages) bytes += FRAME_HEAD_BYTES + 4 + json.length;
  }
  return bytes;
}

/** Packs groups, one at a time, in a buffer that grows to the largest. */
export function createGroupPacker(): (commits: readonly Commit[]) => Uint8Array<ArrayBuffer> {
  let buffer = Buffer.allocUnsafe(64 * 1024);
  let at = 0;

  function need(bytes: number): void {
    if (at + bytes <= buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(buffer.length * 2, at + bytes));
    buffer.copy(grown, 0, 0, at);
    buffer = grown;
  }

  function putNumber(value: number): void {
    need(4);
    at = buffer.writeUInt32LE(value, at);
  }

  function putText(text: string | null): void {
    if (text === null) {
      putNumber(NO_TEXT);
      return;
    }
    need(4 + text.length * MAX_BYTES_PER_UNIT);
    const length = buffer.write(text, at + 4);
    buffer.writeUInt32LE(length, at);
    at += 4 + length;
  }

  function putMessage({ lane, uuid, json }: OutgoingMessage, { id, idAt }: { id: string; idAt: number }): void {
    need(4 + FRAME_HEAD_BYTES + json.length * MAX_BYTES_PER_UNIT);
    at = buffer.writeUInt32LE(lane, at);
    const length = buffer.write(json, at + FRAME_HEAD_BYTES);
    buffer.writeUInt32LE(length, at);
    // A record's first message mostly has its id.
    if (uuid === id) buffer.copyWithin(at + 4, idAt, idAt + ID_BYTES);
    else writeUuid(buffer, uuid, at + 4);
    at += FRAME_HEAD_BYTES + length;
  }

  function putCommit({ records, rejections, checkpoint }: Commit): void {
    putNumber(records.length);
    for (const { id, messages } of records) {
      need(ID_BYTES);
      const idAt = at;
      writeUuid(buffer, id, at);
      at += ID_BYTES;
      putNumber(messages.length);
      for (const message of messages) putMessage(message, { id, idAt });
    }
    putText(rejections.length === 0 ? null : JSON.stringify(rejections));
    putText(checkpoint?.name ?? null);
    putText(checkpoint?.cursor ?? null);
  }

  return (commits) => {
    at = 0;
    putNumber(commits.length);
    for (const commit of commits) putCommit(commit);
    return new Uint8Array(buffer.subarray(0, at));
  };
}

/** Reads what the packer wrote, piece by piece, in the order of the grammar above. */
export interface GroupReader {
  number(): number;
  id(): Uint8Array;
  text(): string | null;
  /** Passes over a message: its lane, and where its frame begins and ends. */
  message(): { readonly lane: number; readonly start: number; readonly end: number };
}

export function createGroupReader(bytes: Uint8Array): GroupReader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const reader: GroupReader = {
    number() {
      at += 4;
      return buffer.readUInt32LE(at - 4);
    },
    id() {
      at += ID_BYTES;
      return buffer.subarray(at - ID_BYTES, at);
    },
    text() {
      const length = reader.number();
      if (length === NO_TEXT) return null;
      at += length;
      return buffer.toString("utf8", at - length, at);
    },
    message() {
      const lane = reader.number();
      const start = at;
      at += FRAME_HEAD_BYTES + buffer.readUInt32LE(at);
      return { lane, start, end: at };
    },
  };
  return reader;
}

/** Where each of the frames laid end to end in `bytes` begins; and last, where the last one ends. */
export function frameStarts(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = [0];
  let at = 0;
  while (at < bytes.byteLength) {
    at += FRAME_HEAD_BYTES + view.getUint32(at, true);
    starts.push(at);
  }
  return starts;
}

export function frameUuid(bytes: Buffer, start: number): string {
  const hex = bytes.toString("hex", start + 4, start + FRAME_HEAD_BYTES);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function frameOf(uuid: string, body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + body.byteLength);
  frame.writeUInt32LE(body.byteLength);
  writeUuid(frame, uuid, 4);
  frame.set(body, FRAME_HEAD_BYTES);
  return frame;
}

function writeUuid(buffer: Buffer, uuid: string, at: number): void {
  let high = -1;
  let to = at;
  for (let from = 0; from < uuid.length; from++) {
    const code = uuid.charCodeAt(from);
    if (code === HYPHEN) continue;
    const digit = code > NINE ? (code | LOWER) - LETTER_BASE : code - ZERO;
    if (high < 0) high = digit;
    else {
      buffer[to++] = high * 16 + digit;
      high = -1;
    }
  }
}

const HYPHEN = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER = 0x20;
const LETTER_BASE = 0x61 - 10;
