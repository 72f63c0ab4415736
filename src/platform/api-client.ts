/** Asks an HTTP API within its budget, and again where that helps: what the rows of a CRM are read with. */

import type { Budget } from "../core/budget.ts";
import type { Clock } from "../core/clock.ts";
import { PrickleError } from "../core/errors.ts";
import { backoffMs } from "../core/retry.ts";
import { createHttpClient, type HttpAnswer, HttpFailure } from "./http-client.ts";

export interface ApiClientOptions {
  /** Scheme, host and port, and a path before those of calls if there is one. */
  readonly baseUrl: string;
  /** For messages: `HubSpot`. */
  readonly peer: string;
  /** Goes with every request: credentials, asked for anew each time. */
  readonly headers: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;
  /** What an answer means. It may adopt what the peer says of its limits. */
  readonly judge: (answer: HttpAnswer, call: ApiCall) => Verdict;
  /** The credentials were not taken: get others. False: there are none. Without it there are none. */
  readonly renew?: (signal: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  /** For each request, in ms. */
  readonly timeoutMs?: number;
  /** For how long one call is tried again and again, in ms. */
  readonly patienceMs?: number;
  readonly maxAnswerBytes?: number;
}

export interface ApiCall {
  readonly method: "GET" | "POST";
  /** With its query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as an HTML form instead. */
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses that the caller reads itself: answers with them are never judged. */
  readonly understands?: readonly number[];
  /** What it counts against. */
  readonly budget: Budget;
}

export type Verdict =
  | { readonly kind: "ok" }
  /** Again after this time, or after a pause that grows. `slowDown`: there were too many. */
  | { readonly kind: "again"; readonly reason: string; readonly afterMs: number | null; readonly slowDown?: boolean }
  /** The credentials were not taken. */
  | { readonly kind: "renew"; readonly error: PrickleError }
  | { readonly kind: "fail"; readonly error: PrickleError };

export interface ApiClient {
  /**
   * The answer that was judged ok.
   * @throws what the verdict says; when it was tried for `patienceMs` SOURCE_LIMITED if there were too many, else
   * SOURCE_UNAVAILABLE; STOPPING when `signal` aborts
   */
  ask(call: ApiCall, signal: AbortSignal): Promise<HttpAnswer>;
  /** Requests made, repetitions included. */
  requests(): number;
  close(): Promise<void>;
}

const TIMEOUT_MS = 60_000;
const PATIENCE_MS = 5 * 60_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const CONNECTIONS = 4;

export function createApiClient(options: ApiClientOptions): ApiClient {
  const { baseUrl, peer, clock, random, judge, renew } = options;
  const { timeoutMs = TIMEOUT_MS, patienceMs = PATIENCE_MS, maxAnswerBytes = MAX_ANSWER_BYTES } = options;
  const { origin, pathname } = new URL(baseUrl);
  const prefix = pathname.replace(/\/+$/, "");
  const http = createHttpClient({ origin, connections: CONNECTIONS, timeoutMs, maxAnswerBytes });
  let requests = 0;

  async function send({ method, path, headers = {}, ...call }: ApiCall, signal: AbortSignal): Promise<HttpAnswer> {
    const own = { accept: "application/json", ...(await options.headers(signal)), ...headers };
    requests += 1;
    const request = { path: prefix + path, signal, headers: own };
    if (method === "GET") return http.get(request);
    const { type, text } = contentOf(call);
    return http.post({ ...request, headers: { "content-type": type, ...own }, body: Buffer.from(text) });
  }

  async function attempt(call: ApiCall, signal: AbortSignal): Promise<HttpAnswer | Exclude<Verdict, { kind: "ok" }>> {
    try {
      const answer = await send(call, signal);
      if (Buffer.byteLength(answer.body) >= maxAnswerBytes) return tooLarge(peer, call, maxAnswerBytes);
      if (call.understands?.includes(answer.status)) return answer;
      const verdict = judge(answer, call);
      return verdict.kind === "ok" ? answer : verdict;
    } catch (thrown) {
      if (!(thrown instanceof HttpFailure)) throw thrown;
      return { kind: "again", reason: `${peer} was not reached: ${thrown.message}`, afterMs: null };
    }
  }

  async function ask(call: ApiCall, signal: AbortSignal): Promise<HttpAnswer> {
    const giveUpAt = clock.now() + patienceMs;
    let isRenewed = false;
    for (let failures = 1; ; failures++) {
      await call.budget.take(signal);
      if (signal.aborted) throw stopping(peer);
      const result = await attempt(call, signal);
      if ("status" in result) return result;
      if (signal.aborted) throw stopping(peer);
      if (result.kind === "fail") throw result.error;
      if (result.kind === "renew") {
        if (isRenewed || !(await renew?.(signal))) throw result.error;
        isRenewed = true;
        continue;
      }
      if (result.slowDown) call.budget.slowDown();
      const pauseMs = result.afterMs ?? backoffMs(failures, random());
      if (clock.now() + pauseMs > giveUpAt) throw givenUp(result);
      await clock.sleep(pauseMs, signal);
    }
  }

  return { ask, requests: () => requests, close: () => http.close() };
}

function contentOf({ body, form }: Pick<ApiCall, "body" | "form">) {
  if (form) return { type: "application/x-www-form-urlencoded", text: new URLSearchParams({ ...form }).toString() };
  return { type: "application/json", text: JSON.stringify(body ?? {}) };
}

function givenUp({ reason, afterMs, slowDown }: Extract<Verdict, { readonly kind: "again" }>): PrickleError {
  return new PrickleError(slowDown ? "SOURCE_LIMITED" : "SOURCE_UNAVAILABLE", reason, {
    hint: "Nothing is lost: the next sync goes on from here.",
    ...(afterMs === null ? {} : { retryAfterMs: afterMs }),
  });
}

/** What was cut off cannot be told from what is whole in a CSV. */
function tooLarge(peer: string, { method, path }: ApiCall, maxBytes: number): Verdict & { readonly kind: "fail" } {
  const message = `${peer} answered with ${maxBytes} bytes or more to ${method} ${path.split("?")[0]}.`;
  return { kind: "fail", error: new PrickleError("SOURCE_UNAVAILABLE", message, { hint: "Ask for fewer fields." }) };
}

function stopping(peer: string): PrickleError {
  return new PrickleError("STOPPING", `Stopped while asking ${peer}.`, { hint: "The next sync goes on from here." });
}
