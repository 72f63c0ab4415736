/** Asks Salesforce's REST API, within what the organization may ask in a day. */

import { createBudget } from "../../core/budget.ts";
import type { Clock } from "../../core/clock.ts";
import { PrickleError } from "../../core/errors.ts";
import { parseSafely } from "../../core/safe-parsing.ts";
import { excerpt, judgeStatus } from "../../platform/api-answer.ts";
import { type ApiCall, createApiClient, type Verdict } from "../../platform/api-client.ts";
import type { HttpAnswer } from "../../platform/http-client.ts";
import { createSalesforceToken, type SalesforceCredentials } from "./credentials.ts";
import { refusalShape } from "./shapes.ts";

export const VERSION = "v62.0";
export const PEER = "Salesforce";

export interface SalesforceConnection {
  /** My Domain: `https://acme.my.salesforce.com`. */
  readonly url: string;
  /** That gives tokens, if another one does. */
  readonly loginUrl?: string | undefined;
  readonly credentials: SalesforceCredentials;
  /** Of the requests that the organization may make in a day, up to which some are made; the rest is for others. */
  readonly dailyShare: number;
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
}

export interface SalesforceClient {
  /** `path` is within the version's: `/query?q=…`. */
  ask(call: SalesforceCall, signal: AbortSignal): Promise<HttpAnswer>;
  requests(): number;
  close(): Promise<void>;
}

export type SalesforceCall = Omit<ApiCall, "budget">;

const PER_SECOND = 10;
const LIMIT_PAUSE_MS = 3_600_000;

export function createSalesforceClient(connection: SalesforceConnection): SalesforceClient {
  const { url, loginUrl = url, dailyShare, clock, ...login } = connection;
  const budget = createBudget({ perWindow: PER_SECOND, windowMs: 1000 }, clock);
  const token = createSalesforceToken({ ...login, loginUrl, clock });
  let usage: Usage | null = null;
  const api = createApiClient({
    baseUrl: url,
    peer: PEER,
    headers: async (signal) => ({ authorization: `Bearer ${await token.current(signal)}` }),
    renew: (signal) => token.renew(signal),
    judge(answer, call) {
      usage = usageOf(answer) ?? usage;
      return judge(answer, call, clock.now());
    },
    ...{ clock, random: login.random },
  });

  return {
    async ask(call, signal) {
      if (usage && usage.used >= usage.allowed * dailyShare) {
        const spent = usage;
        usage = null; // To be told anew the next time.
        throw limited(`${spent.used} of the ${spent.allowed} requests of the last 24 hours are spent`);
      }
      const path = call.path.startsWith("/services/") ? call.path : `/services/data/${VERSION}${call.path}`;
      return api.ask({ ...call, path, budget }, signal);
    },
    requests: () => api.requests() + token.requests(),
    close: async () => void (await Promise.all([api.close(), token.close()])),
  };
}

interface Usage {
  readonly used: number;
  readonly allowed: number;
}

/** `api-usage=10018/100000`: of the organization, all that ask it counted. */
function usageOf({ headers }: HttpAnswer): Usage | null {
  const said = /api-usage=(\d+)\/(\d+)/.exec(headers["sforce-limit-info"] ?? "");
  return said ? { used: Number(said[1]), allowed: Number(said[2]) } : null;
}

function judge(answer: HttpAnswer, call: ApiCall, now: number): Verdict {
  const refusal = answer.status >= 400 ? refusalIn(answer) : null;
  if (refusal?.errorCode === "REQUEST_LIMIT_EXCEEDED") {
    return { kind: "fail", error: limited(`it refused a request: ${excerpt(refusal.message)}`) };
  }
  const detail = refusal ? excerpt(`${refusal.errorCode}, ${refusal.message}`) : "";
  return judgeStatus(answer, call, { peer: PEER, now, detail });
}

function refusalIn({ body }: HttpAnswer) {
  try {
    return parseSafely(refusalShape, JSON.parse(body)).data?.[0] ?? null;
  } catch {
    return null;
  }
}

function limited(why: string): PrickleError {
  return new PrickleError("SOURCE_LIMITED", `Salesforce's limit of requests is reached: ${why}.`, {
    hint: "Nothing is lost: a later sync goes on from here. `dailyShare` of the source leaves more or less to others.",
    retryAfterMs: LIMIT_PAUSE_MS,
  });
}
