/** Bytes laid one after the other, in a buffer that grows to the most that was needed. */

import type { Uuid } from "./uuid.ts";

export interface ByteWriter {
  /** Bytes laid so far. */
  readonly length: number;
  /** Takes back what was laid after the first `length` bytes. */
  cut(length: number): void;
  /** Takes back everything, and lets go of memory of more than `mostBytes`. */
  shrink(mostBytes: number): void;
  /** 32 bits, unsigned, little-endian. */
  number(value: number): void;
  /** 64 bits, a floating-point number, little-endian. */
  double(value: number): void;
  /** Over what was laid before. */
  numberAt(at: number, value: number): void;
  bytes(source: Uint8Array): void;
  /** What lies in `source` between two places. */
  slice(source: Uint8Array, from: number, to: number): void;
  /** UTF-8. */
  text(text: string): void;
  /** As JSON has it, quotes and escapes included. */
  quoted(text: string): void;
  /** Its 16 bytes. */
  uuid(uuid: Uuid): void;
  /** Its 36 characters. */
  uuidText(uuid: Uuid): void;
  /** What was laid between two places; valid until more is laid. */
  view(from: number, to: number): Buffer;
}

/** UTF-8 needs at most this many bytes for a UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;
/** Up to here a loop over plain ASCII costs less than asking the runtime. */
const SHORT = 48;

export function createByteWriter(bytes = 64 * 1024): ByteWriter {
  let buffer = Buffer.allocUnsafe(bytes);
  let at = 0;

  function need(more: number): void {
    if (at + more <= buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(buffer.length * 2, at + more));
    buffer.copy(grown, 0, 0, at);
    buffer = grown;
  }

  const writer: ByteWriter = {
    get length() {
      return at;
    },
    cut(length) {
      at = length;
    },
    shrink(mostBytes) {
      at = 0;
      if (buffer.length > mostBytes) buffer = Buffer.allocUnsafe(bytes);
    },
    number(value) {
      need(4);
      at = buffer.writeUInt32LE(value, at);
    },
    double(value) {
      need(8);
      at = buffer.writeDoubleLE(value, at);
    },
    numberAt(place, value) {
      buffer.writeUInt32LE(value, place);
    },
    bytes(source) {
      need(source.length);
      buffer.set(source, at);
      at += source.length;
    },
    slice(source, from, to) {
      if (to - from > SHORT) return writer.bytes(source.subarray(from, to));
      need(to - from);
      for (let index = from; index < to; index++) buffer[at++] = source[index] ?? 0;
    },
    text(text) {
      need(text.length * MAX_BYTES_PER_UNIT);
      if (text.length > SHORT || !putAscii(text)) at += buffer.write(text, at);
    },
    quoted(text) {
      need(text.length + 2);
      if (text.length > SHORT || !putPlain(text)) writer.text(JSON.stringify(text));
    },
    uuid(uuid) {
      need(16);
      for (const word of uuid) at = buffer.writeInt32BE(word, at);
    },
    uuidText([a, b, c, d]) {
      need(36);
      putHex(a, 28, 0);
      buffer[at++] = HYPHEN;
      putHex(b, 28, 16);
      buffer[at++] = HYPHEN;
      putHex(b, 12, 0);
      buffer[at++] = HYPHEN;
      putHex(c, 28, 16);
      buffer[at++] = HYPHEN;
      putHex(c, 12, 0);
      putHex(d, 28, 0);
    },
    view: (from, to) => buffer.subarray(from, to),
  };

  /** The digits of a word from bit `from` down to bit `to`, four bits each. */
  function putHex(word: number, from: number, to: number): void {
    for (let bit = from; bit >= to; bit -= 4) {
      const digit = (word >>> bit) & 15;
      buffer[at++] = digit + (digit < 10 ? ZERO : LETTER_BASE);
    }
  }

  /** False, laying nothing, when there is more than ASCII in it. */
  function putAscii(text: string): boolean {
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > LAST_ASCII) return false;
      buffer[at + index] = code;
    }
    at += text.length;
    return true;
  }

  /** The same, also false when JSON would escape something. */
  function putPlain(text: string): boolean {
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code < SPACE || code > LAST_ASCII || code === QUOTE || code === BACKSLASH) return false;
      buffer[at + 1 + index] = code;
    }
    buffer[at] = QUOTE;
    buffer[at + 1 + text.length] = QUOTE;
    at += text.length + 2;
    return true;
  }

  return writer;
}

const SPACE = 0x20;
const QUOTE = 0x22;
const HYPHEN = 0x2d;
const ZERO = 0x30;
const BACKSLASH = 0x5c;
const LETTER_BASE = 0x61 - 10;
const LAST_ASCII = 0x7f;
