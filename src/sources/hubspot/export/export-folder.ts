/** Where the file of an export lies while it is read: one at a time, and none once nobody needs it. */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

export interface ExportFolder {
  /** Of the file of a task, which may be there from before a stop; those of others are removed. */
  pathFor(task: string): Promise<string>;
  /** Of what lies there; null: nothing does. */
  sha256(path: string): Promise<string | null>;
  clear(): Promise<void>;
}

export function createExportFolder(directory: string): ExportFolder {
  return {
    async pathFor(task) {
      const name = `${createHash("sha256").update(task).digest("hex").slice(0, 32)}.export`;
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const others = (await readdir(directory)).filter((other) => other !== name);
      for (const other of others) await rm(join(directory, other), { recursive: true, force: true });
      return join(directory, name);
    },
    async sha256(path) {
      const sum = createHash("sha256");
      try {
        await pipeline(createReadStream(path), sum);
        return sum.digest("hex");
      } catch (thrown) {
        if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return null;
        throw thrown;
      }
    },
    clear: () => rm(directory, { recursive: true, force: true }),
  };
}
