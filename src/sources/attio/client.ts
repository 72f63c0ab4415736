/** Asks Attio's API: 100 reads a second at most, and less where a query is called too complex. */

import { createBudget } from "../../core/budget.ts";
import type { Clock } from "../../core/clock.ts";
import { parseSafely } from "../../core/safe-parsing.ts";
import { answeredAt, excerpt, judgeStatus } from "../../platform/api-answer.ts";
import { type ApiCall, createApiClient, type Verdict } from "../../platform/api-client.ts";
import type { HttpAnswer } from "../../platform/http-client.ts";
import { refusalShape } from "./shapes.ts";

export const PEER = "Attio";

export interface AttioConnection {
  /** `https://api.attio.com`. */
  readonly url: string;
  readonly accessToken: string;
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
}

export interface AttioClient {
  ask(call: Omit<ApiCall, "budget">, signal: AbortSignal): Promise<HttpAnswer>;
  requests(): number;
  close(): Promise<void>;
}

const READS_PER_SECOND = 80;

export function createAttioClient({ url, accessToken, clock, random }: AttioConnection): AttioClient {
  const budget = createBudget({ perWindow: READS_PER_SECOND, windowMs: 1000 }, clock);
  const api = createApiClient({
    baseUrl: url,
    peer: PEER,
    headers: async () => ({ authorization: `Bearer ${accessToken}` }),
    judge: (answer, call) => judge(answer, call, clock),
    ...{ clock, random },
  });
  return {
    ask: (call, signal) => api.ask({ ...call, budget }, signal),
    requests: api.requests,
    close: api.close,
  };
}

/** Retry-After is a date: it counts by Attio's own clock. */
function judge(answer: HttpAnswer, call: ApiCall, clock: Clock): Verdict {
  return judgeStatus(answer, call, { peer: PEER, now: answeredAt(answer, clock), detail: detailIn(answer) });
}

function detailIn({ status, body }: HttpAnswer): string {
  if (status < 400) return "";
  try {
    const { code = "", message = "" } = parseSafely(refusalShape, JSON.parse(body)).data ?? {};
    return excerpt([code, message].filter((part) => part !== "").join(", "));
  } catch {
    return "";
  }
}
