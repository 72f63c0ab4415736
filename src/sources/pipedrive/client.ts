/** Asks Pipedrive's API, at a pace below the burst of its plan. */

import { createBudget } from "../../core/budget.ts";
import type { Clock } from "../../core/clock.ts";
import { parseSafely } from "../../core/safe-parsing.ts";
import { excerpt, judgeStatus } from "../../platform/api-answer.ts";
import { type ApiCall, createApiClient, type Verdict } from "../../platform/api-client.ts";
import type { HttpAnswer } from "../../platform/http-client.ts";
import { refusalShape } from "./shapes.ts";

export const PEER = "Pipedrive";

export interface PipedriveConnection {
  /** `https://acme.pipedrive.com`, or `https://api.pipedrive.com`. */
  readonly url: string;
  readonly credentials:
    | { readonly kind: "api_token"; readonly token: string }
    | { readonly kind: "oauth"; readonly accessToken: string };
  /** By the plan, from 20 on; of those four fifths are used. */
  readonly requestsPer2Seconds: number;
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
}

export interface PipedriveClient {
  get(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer>;
  /** The same, and gives also an answer that refuses the query. */
  tryGet(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer>;
  requests(): number;
  close(): Promise<void>;
}

const SHARE = 0.8;

export function createPipedriveClient(connection: PipedriveConnection): PipedriveClient {
  const { url, credentials, requestsPer2Seconds, clock, random } = connection;
  const budget = createBudget(
    { perWindow: Math.max(1, Math.floor(requestsPer2Seconds * SHARE)), windowMs: 2000 },
    clock,
  );
  const headers: Record<string, string> =
    credentials.kind === "oauth"
      ? { authorization: `Bearer ${credentials.accessToken}` }
      : { "x-api-token": credentials.token };
  const api = createApiClient({
    baseUrl: url,
    peer: PEER,
    headers: async () => headers,
    judge: (answer, call) => judge(answer, call, clock.now()),
    ...{ clock, random },
  });
  const get = (
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
    understands: readonly number[],
  ) => api.ask({ method: "GET", path: `${path}?${new URLSearchParams(query)}`, budget, understands }, signal);
  return {
    get: (path, query, signal) => get(path, query, signal, []),
    tryGet: (path, query, signal) => get(path, query, signal, [400]),
    requests: api.requests,
    close: api.close,
  };
}

function judge(answer: HttpAnswer, call: ApiCall, now: number): Verdict {
  return judgeStatus(answer, call, { peer: PEER, now, detail: answer.status < 400 ? "" : detailIn(answer) });
}

function detailIn({ body }: HttpAnswer): string {
  try {
    return excerpt(parseSafely(refusalShape, JSON.parse(body)).data?.error ?? "");
  } catch {
    return "";
  }
}
