/** server.json in the data directory: how a command finds the server that holds it. */

import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { PrickleError } from "../core/errors.ts";

const serverFile = z.object({ pid: z.int().positive(), url: z.url(), token: z.string().min(1) });

export type ServerFile = Readonly<z.infer<typeof serverFile>>;

const ANSWER_MS = 5_000;

/**
 * Tells commands of the server of this process, until it is disposed of. The file is readable by its owner only, since
 * it holds the token. Whoever calls this holds the ledger, so a file that is there already is stale.
 */
export async function announceServer(
  dataDir: string,
  { url, token }: { readonly url: string; readonly token: string },
): Promise<AsyncDisposable> {
  const server: ServerFile = { pid: process.pid, url, token };
  const unfinished = `${pathIn(dataDir)}.${server.pid}`;
  await rm(unfinished, { force: true });
  await writeFile(unfinished, `${JSON.stringify(server)}\n`, { mode: 0o600 });
  await rename(unfinished, pathIn(dataDir));
  return { [Symbol.asyncDispose]: () => rm(pathIn(dataDir), { force: true }) };
}

/**
 * The server that holds the data directory; null when none does. A file left behind by a killed server counts as none.
 * @throws SERVER_UNREACHABLE when its process lives but does not answer.
 */
export async function findServer(dataDir: string): Promise<ServerFile | null> {
  const server = await readServerFile(dataDir);
  if (!server || !isAlive(server.pid)) return null;
  const { request } = await import("undici");
  try {
    const { statusCode, body } = await request(new URL("/healthz", server.url), {
      headersTimeout: ANSWER_MS,
      bodyTimeout: ANSWER_MS,
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await body.dump();
    if (statusCode === 200) return server;
    throw new Error(`it answered ${statusCode}`);
  } catch (thrown) {
    if (isRefused(thrown)) return null;
    throw unreachable(server, thrown);
  }
}

async function readServerFile(dataDir: string): Promise<ServerFile | null> {
  try {
    return serverFile.parse(JSON.parse(await readFile(pathIn(dataDir), "utf8")));
  } catch {
    // Absent, or not ours: the ledger's own lock still keeps two processes apart.
    return null;
  }
}

function pathIn(dataDir: string): string {
  return join(dataDir, "server.json");
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}

function isRefused(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  if ("code" in thrown && thrown.code === "ECONNREFUSED") return true;
  return thrown instanceof AggregateError ? thrown.errors.some(isRefused) : isRefused(thrown.cause);
}

function unreachable({ pid, url }: ServerFile, cause: unknown): PrickleError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PrickleError("SERVER_UNREACHABLE", `prickle (process ${pid}) does not answer at ${url}: ${why}`, {
    hint: "Try again; if it stays so, stop that process: nothing it had answered is lost.",
    cause,
  });
}
