/** Opens a file to read, or an entry of a zip file, and says clearly why it cannot. */

import { type FileHandle, open } from "node:fs/promises";
import { PrickleError } from "../../core/errors.ts";
import type { ZipEntry } from "./zip.ts";

export interface OpenFile {
  /** As it is told to the reader: an entry's begins with that of its zip file. */
  readonly path: string;
  readonly file: FileHandle;
  /** Where its bytes begin: not at 0 for an entry. */
  readonly start: number;
  /** In bytes, when it was opened: what is appended later is left for the next time. */
  readonly size: number;
  /** Null for a file of its own. */
  readonly entry: ZipEntry | null;
}

/** A file, or one of those in a zip file. */
export interface FilePlace {
  readonly path: string;
  readonly entry?: ZipEntry | undefined;
}

export function nameOf({ path, entry }: FilePlace): string {
  return entry ? `${path}/${entry.name}` : path;
}

/** @throws NOT_FOUND, INPUT_INVALID */
export async function openFile(place: FilePlace): Promise<OpenFile> {
  const { path, entry = null } = place;
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(path, "opened", cause);
  });
  const stat = await file.stat();
  if (stat.isFile() && entry) return { path: nameOf(place), file, start: entry.start, size: entry.size, entry };
  if (stat.isFile()) return { path, file, start: 0, size: stat.size, entry };
  await file.close();
  const found = stat.isDirectory() ? "a directory" : "not a regular file";
  throw new PrickleError("INPUT_INVALID", `${path} is ${found}.`, {
    hint: "Name a file of JSON lines, CSV or Parquet; - is standard input.",
  });
}

/** Up to `length` bytes from `at` on; none at the end. @throws INPUT_INVALID */
export async function readAt({ path, file, start, size }: OpenFile, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, size - at)));
  if (buffer.length === 0) return buffer;
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start + at).catch((cause: unknown) => {
    throw unreadable(path, "read", cause);
  });
  return buffer.subarray(0, bytesRead);
}

/** As PrickleError: what the system said of the file. */
export function unreadable(path: string, verb: string, cause: unknown): PrickleError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new PrickleError("NOT_FOUND", `There is no file ${path}.`, { hint: "Check the path.", cause });
  }
  return new PrickleError("INPUT_INVALID", `${path} cannot be ${verb} (${code}).`, {
    hint: "Check the disk and the permissions.",
    cause,
  });
}
