/** prickle as a process of its own, to be killed. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { COMPILE_CACHE } from "../compile-cache.ts";
import type { SmallDisk } from "./small-disk.ts";

const MAIN = new URL("../../src/cli/main.ts", import.meta.url).pathname;
const PATIENCE_MS = 30_000;

/** For tests that start a dozen processes: on a busy machine each takes seconds. */
export const MANY_PROCESSES = { timeout: 180_000 };

export interface Workplace {
  readonly directory: string;
  readonly dataDir: string;
  /** Runs `prickle …` here. */
  run(...words: readonly string[]): Command;
  /** Runs `prickle … --json` here and gives what it answers. Throws with its stderr unless it exits with 0. */
  ask<Answer>(...words: readonly string[]): Promise<Answer>;
  /** Runs `prickle serve` and waits until it takes calls. */
  serve(): Promise<Served>;
  remove(): Promise<void>;
}

export interface Command {
  readonly process: ChildProcess;
  /** Resolves when it has ended; `code` is null when a signal ended it. */
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

export interface Served extends Command {
  readonly url: string;
  /** Throws when it had ended by itself: a test that starts it again would not notice. */
  kill(): Promise<void>;
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>;
}

export interface WorkplaceOptions {
  /** All of prickle's environment, but for what it takes to run. */
  readonly env?: Readonly<Record<string, string>>;
  /** A disk of its own for the data directory. */
  readonly disk?: SmallDisk;
}

/** A directory with a prickle.yaml and nothing else. */
export async function createWorkplace(config: object, { env = {}, disk }: WorkplaceOptions = {}): Promise<Workplace> {
  const directory = disk?.directory ?? (await mkdtemp(join(tmpdir(), "prickle-e2e-")));
  await writeFile(join(directory, "prickle.yaml"), JSON.stringify(config)); // JSON is YAML.
  const dataDir = disk?.dataDir ?? join(directory, ".prickle");
  const [program = process.execPath, ...before] = [...(disk?.launcher ?? []), process.execPath, MAIN];
  const running = new Set<ChildProcess>();

  function run(...words: readonly string[]): Command {
    const child = spawn(program, [...before, ...words], {
      cwd: directory,
      env: { PATH: process.env.PATH ?? "", NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
    });
    running.add(child);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (text) => {
      stdout += text;
    });
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    const ended = once(child, "close").then(([code]) => {
      running.delete(child);
      return { code: code as number | null, stdout, stderr }; // As `close` says.
    });
    return { process: child, ended };
  }

  return {
    directory,
    dataDir,
    run,
    async ask<Answer>(...words: readonly string[]) {
      const { code, stdout, stderr } = await run(...words, "--json").ended;
      if (code === 0) return JSON.parse(stdout) as Answer; // As the caller knows the command.
      throw new Error(`prickle ${words.join(" ")} exited with ${code}:\n${stderr}`);
    },
    async serve() {
      const command = run("serve");
      const url = await ready(command, dataDir);
      return {
        ...command,
        url,
        async kill() {
          const { exitCode, signalCode } = command.process;
          command.process.kill("SIGKILL");
          const { stderr } = await command.ended;
          if (exitCode === null && signalCode === null) return;
          throw new Error(`prickle serve had ended by itself, with ${exitCode ?? signalCode}:\n${stderr}`);
        },
        async stop() {
          command.process.kill("SIGTERM");
          return (await command.ended).code;
        },
      };
    },
    async remove() {
      for (const child of running) child.kill("SIGKILL");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The URL of the server, once it says that it is ready. */
async function ready({ process: child, ended }: Command, dataDir: string): Promise<string> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await delay(20)) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    const url = await urlOf(join(dataDir, "server.json"), child.pid);
    const answer = url ? await fetch(`${url}/readyz`).catch(() => null) : null;
    await answer?.arrayBuffer();
    if (url && answer?.ok) return url;
  }
  child.kill("SIGKILL");
  throw new Error(`prickle serve did not become ready:\n${(await ended).stderr}`);
}

async function urlOf(file: string, pid: number | undefined): Promise<string | null> {
  try {
    const server: { pid: number; url: string } = JSON.parse(await readFile(file, "utf8"));
    return server.pid === pid ? server.url : null;
  } catch {
    return null;
  }
}

/** A port nobody listens on now, for a server that must come back where it was. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}

/** Waits until `condition` holds, for 30 seconds at most; says whether it did. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await delay(25)) if (await condition()) return true;
  return false;
}
