/** Opens a file to read, and says clearly why it cannot. */

import { type FileHandle, open } from "node:fs/promises";
import { PrickleError } from "../../core/errors.ts";

export interface OpenFile {
  readonly path: string;
  readonly file: FileHandle;
  /** In bytes, when it was opened: what is appended later is left for the next time. */
  readonly size: number;
}

/** @throws NOT_FOUND, INPUT_INVALID */
export async function openFile(path: string): Promise<OpenFile> {
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(path, "opened", cause);
  });
  const stat = await file.stat();
  if (stat.isFile()) return { path, file, size: stat.size };
  await file.close();
  const found = stat.isDirectory() ? "a directory" : "not a regular file";
  throw new PrickleError("INPUT_INVALID", `${path} is ${found}.`, {
    hint: "Name one file of JSON lines, plain or gzip.",
  });
}

/** Up to `length` bytes from `at` on; none at the end. @throws INPUT_INVALID */
export async function readAt({ path, file, size }: OpenFile, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, size - at)));
  if (buffer.length === 0) return buffer;
  const { bytesRead } = await file.read(buffer, 0, buffer.length, at).catch((cause: unknown) => {
    throw unreadable(path, "read", cause);
  });
  return buffer.subarray(0, bytesRead);
}

function unreadable(path: string, verb: string, cause: unknown): PrickleError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new PrickleError("NOT_FOUND", `There is no file ${path}.`, { hint: "Check the path.", cause });
  }
  return new PrickleError("INPUT_INVALID", `${path} cannot be ${verb} (${code}).`, {
    hint: "Check the disk and the permissions.",
    cause,
  });
}
