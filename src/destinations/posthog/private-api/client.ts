/** A project's private API: one request at a time, within its budget. What goes wrong is an answer. */

import { parseRetryAfterMs } from "../../../core/retry.ts";
import { createHttpClient, type HttpAnswer, HttpFailure } from "../../../platform/http-client.ts";
import { type ProjectAddress, projectAddress } from "./address.ts";
import type { RequestBudget } from "./budget.ts";

export interface ProjectOptions extends ProjectAddress {
  /** `phx_…` with the scopes that the calls need. Never part of a reason. */
  readonly personalApiKey: string;
  /** Goes into the user agent. */
  readonly version: string;
  /** For a whole request, in ms. */
  readonly timeoutMs?: number;
}

export interface ProjectApiOptions extends ProjectOptions {
  /** None: what is asked once, at a start, is not counted. */
  readonly budget?: RequestBudget;
  /** Default: enough for anything but groups. */
  readonly maxAnswerBytes?: number;
  readonly now: () => number;
}

export interface ProjectApi {
  readonly projectId: number;
  readonly origin: string;
  readonly personalApiKey: string;
  /** `path` is from the project on, as in `/groups_types/`. */
  get(path: string, signal?: AbortSignal): Promise<ApiAnswer>;
  post(path: string, body: object, signal?: AbortSignal): Promise<ApiAnswer>;
  close(): Promise<void>;
}

export type ApiAnswer =
  | ({ readonly kind: "answered" } & Pick<HttpAnswer, "status" | "headers" | "body">)
  /** The budget is spent, or PostHog asked for a pause. */
  | { readonly kind: "later"; readonly reason: string; readonly afterMs: number }
  | { readonly kind: "unreached"; readonly reason: string };

const DEFAULT_TIMEOUT_MS = 10_000;
/** Five types take a few KB; columns and dashboards of theirs come along. */
const MAX_ANSWER_BYTES = 1_000_000;
const DEFAULT_PAUSE_MS = 60_000;

export function openProjectApi({ budget, now, maxAnswerBytes, ...options }: ProjectApiOptions): ProjectApi {
  const { projectId, personalApiKey, version, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const { origin, base } = projectAddress(options);
  const headers = { authorization: `Bearer ${personalApiKey}`, "user-agent": `prickle/${version}` };
  const limits = { timeoutMs, maxAnswerBytes: maxAnswerBytes ?? MAX_ANSWER_BYTES };
  const client = createHttpClient({ origin, connections: 1, ...limits });

  async function ask(send: (signal: AbortSignal) => Promise<HttpAnswer>, signal?: AbortSignal): Promise<ApiAnswer> {
    const afterMs = budget?.take() ?? 0;
    if (afterMs > 0) return { kind: "later", reason: BUDGET_SPENT, afterMs };
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await send(signal ? AbortSignal.any([timeout, signal]) : timeout);
      return answer.status === 429 ? paused(answer) : { kind: "answered", ...answer };
    } catch (thrown) {
      const why = thrown instanceof HttpFailure ? thrown.message : "the request could not be made";
      return { kind: "unreached", reason: `${origin} was not reached: ${why}` };
    }
  }

  function paused({ headers: answered }: HttpAnswer): ApiAnswer {
    const afterMs = parseRetryAfterMs(answered["retry-after"], now()) ?? DEFAULT_PAUSE_MS;
    budget?.hold(afterMs);
    return { kind: "later", reason: `${origin} answered 429: it is asked too often`, afterMs };
  }

  return {
    projectId,
    origin,
    personalApiKey,
    get: (path, signal) => ask((timed) => client.get({ path: base + path, headers, signal: timed }), signal),
    post(path, content, signal) {
      const body = Buffer.from(JSON.stringify(content));
      const typed = { ...headers, "content-type": "application/json" };
      return ask((timed) => client.post({ path: base + path, headers: typed, body, signal: timed }), signal);
    },
    close: () => client.close(),
  };
}

const BUDGET_SPENT = "the budget of requests to PostHog's private API is spent (480 a minute, 4,800 an hour)";
