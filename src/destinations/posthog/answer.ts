/** What PostHog's answer to a v0 batch means. */

import type { Outcome } from "../../core/destination.ts";
import { isJsonObject } from "../../core/json.ts";
import { parseRetryAfterMs } from "../../core/retry.ts";
import type { HttpAnswer } from "../../platform/http-client.ts";

/** `refused`: something in the batch is wrong, and the batch as it is will never pass. */
export type Answer =
  | Extract<Outcome, { kind: "delivered" | "retry" }>
  | { readonly kind: "refused"; readonly reason: string };

/** How long to hold back when PostHog will not take anything before a person changed something. */
export const CONFIGURATION_PAUSE_MS = 60_000;
const BILLING_PAUSE_MS = 5 * 60_000;
const MAX_QUOTED = 200;

export function readAnswer({ status, headers, body }: HttpAnswer, now: number): Answer {
  if (status === 200) return readAcceptance(body);
  const quoted = quote(body);
  switch (status) {
    case 400:
    case 413:
      return { kind: "refused", reason: `PostHog answered ${status}: ${quoted}` };
    case 402:
      return later(`PostHog answered 402: the project is over its billing limit: ${quoted}`, BILLING_PAUSE_MS);
    case 401:
    case 403:
      return later(`PostHog answered ${status}: it does not take the project token: ${quoted}`, CONFIGURATION_PAUSE_MS);
  }
  const reason = `PostHog answered ${status}: ${quoted}`;
  const retryAfterMs = parseRetryAfterMs(headers["retry-after"], now);
  if (retryAfterMs !== null) return { ...later(reason, retryAfterMs), isOfRate: true };
  const isPassing = status >= 500 || status === 408 || status === 429;
  return isPassing ? { kind: "retry", reason } : later(`${reason}: is the host right?`, CONFIGURATION_PAUSE_MS);
}

/** A 200 may come from a proxy, or may mean that the batch was thrown away for billing. */
function readAcceptance(body: string): Answer {
  const answer = parse(body);
  if (!isJsonObject(answer) || !(answer.status === "Ok" || answer.status === 1)) {
    return { kind: "retry", reason: `The 200 is not PostHog's: ${quote(body)}` };
  }
  const { quota_limited: limited } = answer;
  if (Array.isArray(limited) && limited.length > 0) {
    return later(`PostHog took the batch but is over its quota for ${limited.join(", ")}`, BILLING_PAUSE_MS);
  }
  return { kind: "delivered" };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function later(reason: string, retryAfterMs: number): Extract<Answer, { kind: "retry" }> {
  return { kind: "retry", reason, retryAfterMs };
}

/** What a body says, short enough for one line. */
export function quote(body: string): string {
  const text = body.replace(/\s+/g, " ").trim();
  if (text === "") return "(no text)";
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}
