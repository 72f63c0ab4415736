/** A disk of a few megabytes that can be filled to the last byte: a tmpfs in a mount namespace of its own, where Linux lets us make one. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MEGABYTES = 24;

export interface SmallDisk {
  readonly directory: string;
  /** In it, on the small disk, as seen from here. */
  readonly dataDir: string;
  /** What to put before a command for it to see the disk. It keeps its process id. */
  readonly launcher: readonly string[];
  fill(): Promise<void>;
  makeRoom(): Promise<void>;
  remove(): Promise<void>;
}

/** Null where no disk may be mounted. */
export async function mountSmallDisk(): Promise<SmallDisk | null> {
  const directory = await mkdtemp(join(tmpdir(), "prickle-disk-"));
  const inside = join(directory, ".prickle");
  await mkdir(inside);
  const script = `mount -t tmpfs -o size=${MEGABYTES}m tmpfs "$0" && echo mounted && exec cat`;
  const holder = spawn("unshare", ["--map-root-user", "--mount", "sh", "-c", script, inside], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = once(holder, "close").catch(() => null);
  const isMounted = await Promise.race([once(holder.stdout, "data").then(() => true), ended.then(() => false)]);
  if (!isMounted || holder.pid === undefined) {
    await rm(directory, { recursive: true });
    return null;
  }
  const dataDir = `/proc/${holder.pid}/root${inside}`;
  const ballast = join(dataDir, "ballast");
  const enter = ["nsenter", "--target", `${holder.pid}`, "--user", "--mount", "--preserve-credentials"];
  return {
    directory,
    dataDir,
    launcher: [...enter, "sh", "-c", 'cd "$0" && exec "$@"', directory],
    async fill() {
      await writeFile(ballast, Buffer.alloc(MEGABYTES * 1024 * 1024)).catch(() => undefined); // Until there is no room.
    },
    makeRoom: () => rm(ballast),
    async remove() {
      holder.stdin.end();
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
