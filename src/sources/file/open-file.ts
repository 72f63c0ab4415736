/** Opens a file to read, and says clearly why it cannot. */

import { type FileHandle, open } from "node:fs/promises";
import { PrickleError } from "../../core/errors.ts";

export interface OpenFile {
  readonly file: FileHandle;
  /** In bytes, when it was opened: what is appended later is left for the next time. */
  readonly size: number;
}

/** @throws NOT_FOUND, INPUT_INVALID */
export async function openFile(path: string): Promise<OpenFile> {
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  const stat = await file.stat();
  if (stat.isFile()) return { file, size: stat.size };
  await file.close();
  const found = stat.isDirectory() ? "a directory" : "not a regular file";
  throw new PrickleError("INPUT_INVALID", `${path} is ${found}.`, {
    hint: "Name one file of JSON lines, plain or gzip.",
  });
}

function unreadable(path: string, cause: unknown): PrickleError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new PrickleError("NOT_FOUND", `There is no file ${path}.`, { hint: "Check the path.", cause });
  }
  return new PrickleError("INPUT_INVALID", `${path} cannot be opened (${code}).`, {
    hint: "Check its permissions.",
    cause,
  });
}
