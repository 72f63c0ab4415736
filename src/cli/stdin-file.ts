/**
 * Standard input as a file: it has to be looked into, and may be read twice. It is kept in the data directory under a name made of its
 * content, so that the same input goes on where it was stopped; and it is removed when it has been read.
 */

import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type ConfigOptions, peekConfig } from "../config.ts";

export const STDIN = "-";
const NAME_LENGTH = 16;

/** `stdin`: its path; null where it is not wanted. */
export async function withStdin<Result>(
  isWanted: boolean,
  configOptions: ConfigOptions,
  signal: AbortSignal,
  work: (stdin: string | null) => Promise<Result>,
): Promise<Result> {
  if (!isWanted) return work(null);
  const directory = join(peekConfig(configOptions).dataDir, "stdin");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const incoming = join(directory, `incoming-${process.pid}`);
  try {
    const digest = createHash("sha256");
    const hashed = async function* (parts: AsyncIterable<Buffer>) {
      for await (const part of parts) {
        digest.update(part);
        yield part;
      }
    };
    await pipeline(process.stdin, hashed, createWriteStream(incoming, { mode: 0o600 }), { signal });
    const path = join(directory, digest.digest("hex").slice(0, NAME_LENGTH));
    await rename(incoming, path);
    try {
      return await work(path);
    } finally {
      await rm(path, { force: true });
    }
  } finally {
    await rm(incoming, { force: true });
  }
}
