/** bin/prickle.js under the Node that many machines still have: it goes on with the one that npm put beside it. */

import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createWorkplace, eventually, type Workplace } from "./prickle-process.ts";

const BIN = new URL("../../bin/prickle.js", import.meta.url).pathname;
const OLD_NODE = findNode("v20.");
const REASON = OLD_NODE === null ? " (there is no Node 20 in PATH)" : "";

function findNode(version: string): string | null {
  const candidates = (process.env.PATH ?? "").split(delimiter).map((directory) => join(directory, "node"));
  return candidates.find((path) => versionOf(path).startsWith(version)) ?? null;
}

function versionOf(path: string): string {
  try {
    return execFileSync(path, ["--version"], { encoding: "utf8" });
  } catch {
    return "";
  }
}

let workplace: Workplace;

beforeEach(async () => {
  workplace = await createWorkplace({ server: { port: 0 } });
});
afterEach(() => workplace.remove());

describe.skipIf(OLD_NODE === null)(`with Node 20${REASON}`, () => {
  const node = OLD_NODE ?? "";
  /** No PATH: nothing but the Node of the packages can be found. */
  const options = () => ({ cwd: workplace.directory, env: { PATH: "" } });
  const run = (...words: readonly string[]) => promisify(execFile)(node, [BIN, ...words], options());

  it("carries out commands, and passes on what they say and their exit codes", async () => {
    expect(JSON.parse((await run("check", "--json")).stdout)).toMatchObject({ ok: true });
    const failure = run("backfill", "none.jsonl");
    await expect(failure).rejects.toMatchObject({ code: 66, stderr: expect.stringContaining("NOT_FOUND") });
  });

  it("serves in a process of a newer Node, and stops it when told to stop itself", async () => {
    const old = spawn(node, [BIN, "serve"], { ...options(), stdio: "ignore" });
    onTestFinished(() => void old.kill("SIGTERM"));
    const ended = once(old, "exit");
    const server = async () => JSON.parse(await readFile(join(workplace.dataDir, "server.json"), "utf8"));
    await eventually(() =>
      server().then(
        () => true,
        () => false,
      ),
    );
    const { pid, url } = await server();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(pid).not.toBe(old.pid);
    old.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    await expect(fetch(url)).rejects.toThrow();
  });
});
