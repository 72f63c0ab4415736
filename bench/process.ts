/** Peers: servers, sinks and load generators as processes of their own, which answer with one JSON line. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

export interface Peer {
  /** What it said when it was ready. */
  readonly url: string;
  readonly pid: number;
  /** Highest resident memory so far, in MB; NaN where the kernel does not tell. */
  peakMegabytes(): Promise<number>;
  stop(): Promise<void>;
}

export interface PeerOptions {
  readonly input?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  /** In its way to a clean end. */
  readonly killAfterMs?: number;
}

/** Starts `peers/<file>` with `input` as JSON argument and waits for its line `{"url":…}`. */
export async function startPeer(
  file: string,
  { input = {}, env = {}, killAfterMs = 5000 }: PeerOptions = {},
): Promise<Peer> {
  const child = spawnPeer(`peers/${file}`, input, env);
  const { url } = (await firstLine(child, file)) as { url: string };
  return {
    url,
    pid: child.pid ?? 0,
    peakMegabytes: () => peakMegabytesOf(child.pid ?? 0),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
      await gone;
      clearTimeout(timer);
    },
  };
}

/** Runs `file` to its end and gives the JSON line it printed. */
export async function runToEnd<Result>(file: string, { input = {}, env = {} }: PeerOptions = {}): Promise<Result> {
  const child = spawnPeer(file, input, env);
  const gone = once(child, "exit");
  const result = await firstLine(child, file);
  await gone;
  return result as Result;
}

function spawnPeer(file: string, input: unknown, env: Readonly<Record<string, string>>): ChildProcess {
  const path = new URL(file, import.meta.url).pathname;
  const child = spawn(process.execPath, [path, JSON.stringify(input)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  // A benchmark that breaks leaves nothing behind.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  return child;
}

async function firstLine(child: ChildProcess, file: string): Promise<unknown> {
  if (!child.stdout) throw new Error(`${file} has no output.`);
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) if (line.startsWith("{")) return JSON.parse(line);
  throw new Error(`${file} ended before it was ready.`);
}

async function peakMegabytesOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
