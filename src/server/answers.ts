/** What Segment and its clients expect to read. Source: facts on Segment, 1.5, 2.1 and 2.3. */

import type { PrickleError } from "../core/errors.ts";

/** JSON text of the answer to whatever was stored, duplicates and rejections included. */
export const SUCCESS_ANSWER = '{"success":true}';

/** analytics-node waits 1–300 seconds when told to; anything else it takes as not told. */
const MAX_RETRY_AFTER_SECONDS = 300;
const DEFAULT_RETRY_AFTER_SECONDS = 1;

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text: analytics-python reads `code` and `message`, and Segment shows it in Event Delivery. */
  readonly body: string;
}

/** The answer to a request that failed as a whole. Retryable errors say when to come again, in whole seconds. */
export function errorAnswer(error: PrickleError): ErrorAnswer {
  const { status, code, message, hint } = error;
  const body = JSON.stringify({ success: false, code, message, hint });
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (error.retryable) {
    const seconds = retryAfterSeconds(error.retryAfterMs);
    headers["retry-after"] = seconds;
    headers["x-ratelimit-reset"] = seconds;
  }
  return { status, headers, body };
}

function retryAfterSeconds(ms: number | undefined): string {
  if (ms === undefined) return String(DEFAULT_RETRY_AFTER_SECONDS);
  return String(Math.min(MAX_RETRY_AFTER_SECONDS, Math.max(1, Math.ceil(ms / 1000))));
}
