/** The operations of a running prickle, over HTTP: for the CLI. */

import { createInterface } from "node:readline";
import { Agent, type Dispatcher, request } from "undici";
import { ERRORS, type ErrorCode, PrickleError, toPrickleError } from "../core/errors.ts";
import type { BackfillProgress, BackfillSummary, Operations, SyncRequest, SyncSummary } from "../core/operations.ts";
import { EMPTY_RUN, type Run } from "../core/runs.ts";
import type { VerifyProgress, VerifyReport, VerifyRequest } from "../core/verification.ts";
import { ADMIN_METHODS, ADMIN_PREFIX, type AdminMethod, BACKFILL, SYNC, VERIFY } from "./admin-methods.ts";

export interface AdminAddress {
  readonly url: string;
  readonly token: string;
}

interface WireError {
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
}

/** @throws SERVER_UNREACHABLE, and what the operation throws there: the same code, message and hint. */
export function connectOperations({ url, token }: AdminAddress): Operations {
  async function post(method: string, input: unknown, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    const dispatcher = new Agent({ keepAliveTimeout: 1, headersTimeout: 0, bodyTimeout: 0 });
    try {
      return await request(new URL(ADMIN_PREFIX + method, url), {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(input),
        dispatcher,
        ...(signal ? { signal } : {}),
      });
    } catch (cause) {
      throw unreachable(url, cause);
    }
  }

  async function ask(method: AdminMethod, input: unknown): Promise<unknown> {
    const { statusCode, body } = await post(method, input ?? null);
    const answer = await body.json().catch((cause: unknown) => {
      throw unreachable(url, cause);
    });
    if (statusCode !== 200) throw revive(answer as WireError); // As answers.ts writes them.
    return answer;
  }

  const methods = Object.keys(ADMIN_METHODS) as AdminMethod[];
  const asked = Object.fromEntries(methods.map((method) => [method, (input: unknown) => ask(method, input)]));
  return {
    ...(asked as unknown as Pick<Operations, AdminMethod>), // Each leads to the operation of its name over there.
    backfill: (input, observe, signal) =>
      stream<BackfillProgress, BackfillSummary>(BACKFILL, input, { observe, signal, stopped: stoppedBackfill }),
    sync: (input, observe, signal) =>
      stream<Run, SyncSummary>(SYNC, input, { observe, signal, stopped: (last) => stoppedSync(input, last) }),
    verify: (input, observe, signal) =>
      stream<VerifyProgress, VerifyReport>(VERIFY, input, { observe, signal, stopped: () => stoppedVerify(input) }),
  };

  async function stream<Progress, Summary>(
    method: string,
    input: unknown,
    listening: Listening<Progress, Summary>,
  ): Promise<Summary> {
    const { signal, stopped } = listening;
    const answer = await post(method, input, signal).catch((thrown: unknown) => {
      if (signal.aborted) return null;
      throw thrown;
    });
    if (!answer) return stopped(null);
    const { statusCode, body } = answer;
    if (statusCode !== 200) throw revive((await body.json()) as WireError);
    return readStream(url, body, listening);
  }
}

interface Listening<Progress, Summary> {
  readonly observe: (progress: Progress) => void;
  readonly signal: AbortSignal;
  /** What is known when we hung up: the server stops at its next page. */
  readonly stopped: (last: Progress | null) => Summary;
}

type Line<Progress, Summary> = { progress: Progress } | { summary: Summary } | { error: WireError };

async function readStream<Progress, Summary>(
  url: string,
  body: Dispatcher.ResponseData["body"],
  { observe, signal, stopped }: Listening<Progress, Summary>,
): Promise<Summary> {
  let last: Progress | null = null;
  try {
    for await (const text of createInterface({ input: body })) {
      const line: Line<Progress, Summary> = JSON.parse(text);
      if ("error" in line) throw revive(line.error);
      if ("summary" in line) return line.summary;
      last = line.progress;
      observe(last);
    }
  } catch (thrown) {
    if (signal.aborted) return stopped(last);
    throw thrown instanceof PrickleError ? thrown : unreachable(url, thrown);
  }
  if (signal.aborted) return stopped(last);
  throw unreachable(url, new Error("the connection ended before the work did"));
}

function stoppedBackfill(last: BackfillProgress | null): BackfillSummary {
  const { records = 0, messages = 0, duplicates = 0, rejected = 0, skipped = 0 } = last ?? {};
  const counts = { messages, duplicates, rejected, skipped, rejectedByReason: {}, saved: 0, stale: 0, attributed: 0 };
  const ending = { tookMs: 0, complete: false, dryRun: null, reachedLimit: false };
  return { records, resumedAt: 0, ...counts, files: [], leftOut: [], ...ending };
}

function stoppedSync({ source, isFull = false }: SyncRequest, last: Run | null): SyncSummary {
  const run = last ?? { ...EMPTY_RUN, source, kind: isFull ? "full" : "changes", startedAt: Date.now() };
  return { run: { ...run, outcome: "partial", reason: "it was stopped" }, dryRun: null };
}

function stoppedVerify({ destination = "", repair }: VerifyRequest): VerifyReport {
  const nothing = { groupTypes: [], differences: 0, identifies: 0, removals: 0, tookMs: 0 };
  return { destination, ...nothing, queued: repair, unfinished: "it was stopped" };
}

function revive({ code = "INTERNAL", message = "The server gave no reason.", hint }: WireError): PrickleError {
  const known = (Object.keys(ERRORS) as ErrorCode[]).find((one) => one === code) ?? "INTERNAL";
  return new PrickleError(known, message, hint === undefined ? {} : { hint });
}

function unreachable(url: string, cause: unknown): PrickleError {
  return new PrickleError("SERVER_UNREACHABLE", `prickle at ${url} does not answer: ${toPrickleError(cause).message}`, {
    hint: "See whether it is being stopped, and try again.",
    cause,
  });
}
