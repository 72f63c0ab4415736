/** What PostHog's answers mean, whichever the protocol: what is said of a request as a whole. */

import type { Outcome } from "../../core/destination.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { parseRetryAfterMs } from "../../core/retry.ts";
import type { HttpAnswer } from "../../platform/http-client.ts";

export type Retry = Extract<Outcome, { kind: "retry" }>;
/** Something in the batch is wrong, and the batch as it is will never pass. */
export interface Refused {
  readonly kind: "refused";
  readonly reason: string;
  readonly code: string;
}
/** Nobody there speaks this protocol. */
export interface Absent {
  readonly kind: "absent";
  readonly reason: string;
}

/** Of a refusal that is about what was sent, whoever sent it. */
export const TOO_LARGE = "payload_too_large";

/** How long to hold back when PostHog will not take anything before a person changed something. */
export const CONFIGURATION_PAUSE_MS = 60_000;
/** PostHog's clients give up at a 429: what is tried again is tried much later. */
const RATE_PAUSE_MS = 30_000;
const BILLING_PAUSE_MS = 5 * 60_000;
const MAX_QUOTED = 200;

/** Of what is not 200. `tag`: v1's name of the error; null where there is none. */
export function readError(answer: HttpAnswer, now: number, tag: string | null = null): Retry | Refused {
  const { status, body } = answer;
  const reason = `PostHog answered ${status}: ${quote(body)}`;
  if (tag === "billing_limit_exceeded" || status === 402) {
    return blocked(
      `PostHog answered ${status}: the project is over its billing limit: ${quote(body)}`,
      BILLING_PAUSE_MS,
    );
  }
  switch (status) {
    case 400:
      // Of a proxy: PostHog's own is text or JSON.
      if (body.trimStart().startsWith("<")) return blocked(`${reason}: is the host right?`);
      return OWN_FAULTS.has(tag ?? "") ? blocked(reason) : { kind: "refused", reason, code: codeOf(tag, "refused") };
    case 413:
      return { kind: "refused", reason, code: TOO_LARGE };
    case 401:
    case 403:
      return blocked(`PostHog answered ${status}: it does not take the project token: ${quote(body)}`);
  }
  return readPassing(answer, now, reason);
}

/** The request is wrong, not what it brings: a batch taken apart would fare no better. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  "missing_required_headers",
  "invalid_header_value",
  "request_decoding_error",
  "empty_body",
  "empty_batch",
  "invalid_batch",
]);
const BUSY: ReadonlySet<number> = new Set([408, 429, 503, 504]);

function readPassing({ status, headers }: HttpAnswer, now: number, reason: string): Retry {
  const isPassing = status >= 500 || status === 408 || status === 429;
  const asked = parseRetryAfterMs(headers["retry-after"], now);
  if (!isPassing) return blocked(`${reason}: is the host right?`, Math.max(asked ?? 0, CONFIGURATION_PAUSE_MS));
  const retryAfterMs = asked ?? (status === 429 ? RATE_PAUSE_MS : null);
  return {
    kind: "retry",
    reason,
    ...(retryAfterMs === null ? {} : { retryAfterMs, isOfRate: true as const }),
    ...(BUSY.has(status) ? { cause: "busy" as const } : {}),
  };
}

export function overQuota(reason: string): Retry {
  return blocked(reason, BILLING_PAUSE_MS);
}

export function blocked(reason: string, retryAfterMs = CONFIGURATION_PAUSE_MS): Retry {
  return { kind: "retry", reason, retryAfterMs, cause: "blocked" };
}

/** Timeouts say that the peer is busy; other failures of the connection that it is not there. */
export function notReached(message: string): Retry {
  const cause = /timeout/i.test(message) ? { cause: "busy" as const } : {};
  return { kind: "retry", reason: `PostHog was not reached: ${message}`, ...cause };
}

/** Names that PostHog gives are counted by; its list is open, so anything else is one. */
export function codeOf(name: string | null, otherwise: string): string {
  return name !== null && /^[a-z][a-z_]{0,39}$/.test(name) ? name : otherwise;
}

export function parseObject(text: string): JsonObject | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return isJsonObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

/** What a body says, short enough for one line. */
export function quote(body: string): string {
  const text = body
    .slice(0, 4 * MAX_QUOTED)
    .replace(/\s+/g, " ")
    .trim();
  if (text === "") return "(no text)";
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}
