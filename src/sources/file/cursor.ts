/** The cursor of a file: how far it was read, and what makes sure that it is still the same file. */

import { hash } from "node:crypto";
import { z } from "zod";
import { PrickleError } from "../../core/errors.ts";
import { type OpenFile, readAt } from "../../platform/files/open-file.ts";

const FORMAT = 1;
/** Bytes hashed at the begin and at the end. */
const SAMPLE_BYTES = 1024;

/**
 * A file is known again by its first `size` bytes: their number, and a hash over the first and the last KB of them.
 * So a file may have been copied, touched, or appended to (another line, another gzip member), and the reading goes
 * on; another file, a shorter one or one whose begin or end was rewritten is refused. A change in the middle of a
 * plain file that keeps its size goes unnoticed; in gzip the checksum at the end tells.
 */
const identitySchema = z.strictObject({ size: z.int().nonnegative(), hash: z.string() });
export type FileIdentity = z.infer<typeof identitySchema>;

const cursorSchema = z.strictObject({
  v: z.literal(FORMAT),
  /** Lines done, blank ones included; of them, those that were records or rejections. */
  lines: z.int().nonnegative(),
  records: z.int().nonnegative(),
  /** Bytes done, after decompression: the end of a line. */
  offset: z.int().nonnegative(),
  file: identitySchema,
  /** Nothing comes after: as long as it is the same file, it need not be read to know. */
  isEnd: z.literal(true).optional(),
});
export type FileCursor = z.infer<typeof cursorSchema>;

export function startCursor(file: FileIdentity): FileCursor {
  return { v: FORMAT, lines: 0, records: 0, offset: 0, file };
}

export function formatCursor(cursor: FileCursor): string {
  return JSON.stringify(cursor);
}

/** @throws INPUT_INVALID when it was not written by this version. */
export function parseCursor(text: string, path: string): FileCursor {
  try {
    return cursorSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new PrickleError("INPUT_INVALID", `${path}: the stored checkpoint cannot be read.`, {
      hint: "Forget the checkpoint and read the file from its begin: records seen before are left out.",
      cause,
    });
  }
}

/** Of the first `size` bytes of the file; an entry of a zip file is known by its checksum. */
export async function identify(opened: OpenFile, size: number): Promise<FileIdentity> {
  const { entry } = opened;
  if (entry) return { size: entry.unpackedSize, hash: `crc32:${entry.crc32}` };
  const length = Math.min(size, SAMPLE_BYTES);
  const sample = Buffer.concat([await readAt(opened, 0, length), await readAt(opened, size - length, length)]);
  return { size, hash: hash("sha256", sample, "hex") };
}

/** @throws INPUT_CHANGED when it is another, or longer and may not be. */
export async function checkIdentity(opened: OpenFile, known: FileIdentity, mayGrow: boolean): Promise<void> {
  const { path, entry } = opened;
  const size = entry?.unpackedSize ?? opened.size;
  const isLonger = size > known.size && !(mayGrow && !entry);
  if (size < known.size || isLonger) throw changed(path, `it had ${known.size} bytes and has ${size}`);
  if ((await identify(opened, known.size)).hash !== known.hash)
    throw changed(path, "it begins or ends with other bytes");
}

export function changed(path: string, found: string): PrickleError {
  return new PrickleError("INPUT_CHANGED", `${path} changed since its checkpoint was written: ${found}.`, {
    hint: "Read it from its begin, or under another name: records seen before are left out.",
  });
}
