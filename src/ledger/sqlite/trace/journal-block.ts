/**
 * The bytes of the journal's files.
 *
 * file:  u32 mark · u32 version · f64 begun at · u32 1 if it goes on where the file before ended · block…
 * block: u32 mark · u32 bytes of its entries · u32 CRC-32 of them · entry…
 * entry: u32 bytes in all · u32 kind · f64 at · what its kind says (trace/…-entry.ts)
 *
 * Numbers are little-endian. A block is what was written at once; where none is whole the file ends.
 */

import { crc32 } from "node:zlib";
import type { ByteWriter } from "../../../core/bytes.ts";

export const ENTRY_KINDS = { commit: 1, settle: 2, replay: 3, forget: 4, close: 5 } as const;
export type EntryKind = keyof typeof ENTRY_KINDS;

const FILE_MARK = 0x4a545250;
const BLOCK_MARK = 0x42545250;
const VERSION = 1;
export const FILE_HEAD_BYTES = 20;
export const BLOCK_HEAD_BYTES = 12;
const ENTRY_HEAD_BYTES = 16;

export interface FileHead {
  readonly begunAt: number;
  /** False: its writer had just begun, or had lost something. */
  readonly goesOn: boolean;
}

export function writeFileHead({ begunAt, goesOn }: FileHead): Buffer {
  const head = Buffer.alloc(FILE_HEAD_BYTES);
  head.writeUInt32LE(FILE_MARK, 0);
  head.writeUInt32LE(VERSION, 4);
  head.writeDoubleLE(begunAt, 8);
  head.writeUInt32LE(goesOn ? 1 : 0, 16);
  return head;
}

/** Null: it is no file of the journal, or one of another version. */
export function readFileHead(bytes: Buffer): FileHead | null {
  if (bytes.length < FILE_HEAD_BYTES || bytes.readUInt32LE(0) !== FILE_MARK) return null;
  if (bytes.readUInt32LE(4) !== VERSION) return null;
  return { begunAt: bytes.readDoubleLE(8), goesOn: bytes.readUInt32LE(16) === 1 };
}

/** Lays the head that `endBlock` fills in. */
export function beginBlock(out: ByteWriter): void {
  out.cut(0);
  for (let word = 0; word < BLOCK_HEAD_BYTES / 4; word++) out.number(0);
}

/** All that was laid, as a block. */
export function endBlock(out: ByteWriter): Buffer {
  const entries = out.view(BLOCK_HEAD_BYTES, out.length);
  out.numberAt(0, BLOCK_MARK);
  out.numberAt(4, entries.length);
  out.numberAt(8, crc32(entries));
  return out.view(0, out.length);
}

/** The entries of each block that is whole, up to the first that is not. */
export function* blocksIn(file: Buffer): Iterable<Buffer> {
  for (let at = FILE_HEAD_BYTES; at + BLOCK_HEAD_BYTES <= file.length; ) {
    const from = at + BLOCK_HEAD_BYTES;
    const end = from + file.readUInt32LE(at + 4);
    if (file.readUInt32LE(at) !== BLOCK_MARK || end > file.length) return;
    const entries = file.subarray(from, end);
    if (crc32(entries) !== file.readUInt32LE(at + 8)) return;
    yield entries;
    at = end;
  }
}

export function writeEntry(kind: EntryKind, at: number, out: ByteWriter, write: (out: ByteWriter) => void): void {
  const start = out.length;
  out.number(0);
  out.number(ENTRY_KINDS[kind]);
  out.double(at);
  write(out);
  out.numberAt(start, out.length - start);
}

/** An entry in its block: places in its bytes. */
export interface FoundEntry {
  readonly kind: number;
  readonly at: number;
  readonly start: number;
  /** Where what its kind says begins. */
  readonly from: number;
  readonly end: number;
}

export function* entriesIn(block: Buffer): Iterable<FoundEntry> {
  for (let start = 0; start < block.length; ) {
    const end = start + block.readUInt32LE(start);
    const [kind, at] = [block.readUInt32LE(start + 4), block.readDoubleLE(start + 8)];
    yield { kind, at, start, from: start + ENTRY_HEAD_BYTES, end };
    start = end;
  }
}
