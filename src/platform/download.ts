/** Fetches a large file over HTTP onto the disk: part by part, and from its begin again where the connection ends too early. */

import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { Agent, request } from "undici";
import type { Clock } from "../core/clock.ts";
import { PrickleError } from "../core/errors.ts";
import { backoffMs, parseRetryAfterMs } from "../core/retry.ts";
import { describeFailure } from "./http-client.ts";

export interface Download {
  readonly url: string;
  /** Where the file lies once it is whole; while it is fetched, `.part` is added. For its owner's eyes only. */
  readonly path: string;
  /** For messages: `HubSpot`. */
  readonly peer: string;
  /** Awaited before each request: budgets, and who counts. */
  readonly take: (signal: AbortSignal) => Promise<void>;
  /** Goes with a request to that address: credentials are not for every host. */
  readonly headers: (url: URL, signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  /** For the head of the answer, and between parts of its body, each, in ms. */
  readonly timeoutMs?: number;
  /** For how long it is tried again and again, in ms. */
  readonly patienceMs?: number;
}

export type Downloaded =
  | { readonly kind: "file"; readonly sha256: string }
  /** With a status that no repetition changes: the address is not good any more. */
  | { readonly kind: "refused"; readonly status: number };

const TIMEOUT_MS = 60_000;
const PATIENCE_MS = 10 * 60_000;
const MOST_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];

type Attempt = Downloaded | { readonly kind: "again"; readonly reason: string; readonly afterMs: number | null };

/**
 * Leaves nothing behind but the file.
 * @throws SOURCE_UNAVAILABLE when it was tried for `patienceMs`; LEDGER_FULL when the disk is; STOPPING when `signal` aborts
 */
export async function download(asked: Download, signal: AbortSignal): Promise<Downloaded> {
  const { clock, random, peer, patienceMs = PATIENCE_MS, timeoutMs = TIMEOUT_MS } = asked;
  const agent = new Agent({ connect: { timeout: timeoutMs }, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  const giveUpAt = clock.now() + patienceMs;
  try {
    for (let failures = 1; ; failures++) {
      const result = await attempt(asked, agent, signal);
      if (signal.aborted) throw stopping(peer);
      if (result.kind !== "again") return result;
      const pauseMs = result.afterMs ?? backoffMs(failures, random());
      if (clock.now() + pauseMs > giveUpAt) throw unavailable(result.reason);
      await clock.sleep(pauseMs, signal);
    }
  } finally {
    await agent.destroy();
  }
}

async function attempt(asked: Download, agent: Agent, signal: AbortSignal): Promise<Attempt> {
  const { peer, clock } = asked;
  try {
    const { statusCode: status, headers, body } = await follow(asked, agent, signal);
    if (status === 200) return { kind: "file", sha256: await save(body, asked.path) };
    body.destroy();
    const isPassing = status === 408 || status === 429 || status >= 500;
    if (!isPassing) return { kind: "refused", status };
    const afterMs = parseRetryAfterMs([headers["retry-after"]].flat()[0], clock.now());
    return { kind: "again", reason: `${peer} answered ${status} to a download.`, afterMs };
  } catch (thrown) {
    if (thrown instanceof PrickleError) throw thrown;
    return { kind: "again", reason: `${peer} did not give a file whole: ${describeFailure(thrown)}.`, afterMs: null };
  }
}

async function follow({ url, take, headers }: Download, agent: Agent, signal: AbortSignal) {
  let at = new URL(url);
  for (let hops = 0; ; hops++) {
    await take(signal);
    const answer = await request(at, { dispatcher: agent, headers: await headers(at, signal), signal });
    answer.body.on("error", () => undefined); // Whoever reads it is told; whoever does not need not know.
    const to = [answer.headers.location].flat()[0];
    if (!REDIRECTS.includes(answer.statusCode) || to === undefined || hops >= MOST_REDIRECTS) return answer;
    answer.body.destroy();
    at = new URL(to, at);
  }
}

/** Gives the SHA-256 of what was written. */
async function save(body: AsyncIterable<Buffer>, path: string): Promise<string> {
  const part = `${path}.part`;
  const orUnwritable = (cause: unknown): never => {
    throw unwritable(path, cause);
  };
  const sum = createHash("sha256");
  const file = await open(part, "w", 0o600).catch(orUnwritable);
  try {
    for await (const chunk of body) {
      sum.update(chunk);
      await file.writeFile(chunk).catch(orUnwritable); // It goes on where it was.
    }
    await file.close();
    await rename(part, path);
    return sum.digest("hex");
  } catch (thrown) {
    await file.close();
    await rm(part, { force: true });
    throw thrown;
  }
}

function unwritable(path: string, cause: unknown): PrickleError {
  return new PrickleError("LEDGER_FULL", `${path} cannot be written: ${describeFailure(cause)}.`, {
    hint: "Is there room on the disk of the data directory?",
    cause,
  });
}

function unavailable(reason: string): PrickleError {
  return new PrickleError("SOURCE_UNAVAILABLE", reason, { hint: "Nothing is lost: the next sync goes on from here." });
}

function stopping(peer: string): PrickleError {
  return new PrickleError("STOPPING", `Stopped while fetching a file of ${peer}.`, {
    hint: "The next sync goes on from here.",
  });
}
