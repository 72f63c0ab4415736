/** What an answer of HubSpot means (facts: HubSpot, 9 and 10). */

import { z } from "zod";
import type { Clock } from "../../core/clock.ts";
import { PrickleError } from "../../core/errors.ts";
import { parseRetryAfterMs } from "../../core/retry.ts";
import type { ApiCall, Verdict } from "../../platform/api-client.ts";
import type { HttpAnswer } from "../../platform/http-client.ts";
import type { Portal } from "./portal.ts";

/** Every field may be missing, and be of another kind than documented. */
const text = z.string().optional().catch(undefined);
const refusal = z.object({
  status: text,
  message: text,
  category: text,
  policyName: text,
  correlationId: text,
  context: z
    .object({ missingScopes: z.array(z.string()).catch([]) })
    .optional()
    .catch(undefined),
});
type Refusal = z.infer<typeof refusal>;

const TEN_SECONDS_MS = 10_000;
const LOCKED_MS = 2000;
const SECOND_MS = 1000;
const MOST_RETRY_AFTER_MS = 24 * 3_600_000;
const PEER = "HubSpot";

export function judgeAnswer(answer: HttpAnswer, call: ApiCall, portal: Portal, clock: Pick<Clock, "now">): Verdict {
  const { status, headers, body } = answer;
  portal.note(answer);
  if (status >= 200 && status < 300) return isWhole(body) ? { kind: "ok" } : again(`${PEER} gave no JSON`, null);
  const said = readRefusal(body);
  const reason = reasonOf(status, said, call);
  const retryAfterMs = parseRetryAfterMs(headers["retry-after"], clock.now());
  if (said.status === "BAD_HUB") return fail(refused(reason, "The account is gone, or it removed the app."));
  switch (status) {
    case 401:
      return { kind: "renew", error: refused(reason, "Is the token complete, and not replaced by another?") };
    case 403:
      return fail(refused(reason, scopesHint(said)));
    case 423:
      return again(reason, Math.max(LOCKED_MS, retryAfterMs ?? 0));
    case 429:
      return judgeLimit(said, reason, retryAfterMs, { call, portal, clock });
    case 477:
      return fail(migrating(reason, retryAfterSeconds(headers["retry-after"])));
    case 530:
      return fail(refused(reason, "HubSpot answers so when a token is malformed."));
  }
  if (status >= 500 || status === 408) return again(reason, retryAfterMs);
  return fail(new PrickleError("SOURCE_CHANGED", reason, { hint: hintFor(status) }));
}

interface LimitContext {
  readonly call: ApiCall;
  readonly portal: Portal;
  readonly clock: Pick<Clock, "now">;
}

/** A limit of the day ends the run; the others pass, for all jobs of the account alike. */
function judgeLimit(
  { policyName, message = "" }: Refusal,
  reason: string,
  retryAfterMs: number | null,
  { call, portal, clock }: LimitContext,
): Verdict {
  if (policyName === "DAILY" || /\bdaily\b/i.test(message)) {
    portal.endDay();
    const waitMs = portal.msToReset() ?? retryAfterMs;
    const until = waitMs === null ? "" : ` They are counted anew at ${new Date(clock.now() + waitMs).toISOString()}.`;
    const details = { hint: "Nothing is lost: the next sync goes on from here." };
    const error = new PrickleError("SOURCE_LIMITED", `${reason}${until}`, {
      ...details,
      ...(waitMs === null ? {} : { retryAfterMs: waitMs }),
    });
    return fail(error);
  }
  const isSecondly = policyName === "SECONDLY" || /\bsecondly limit/i.test(message);
  const afterMs = retryAfterMs ?? (isSecondly ? SECOND_MS : TEN_SECONDS_MS);
  call.budget.pauseUntil(clock.now() + afterMs);
  return { ...again(reason, afterMs), slowDown: true };
}

function readRefusal(body: string): Refusal {
  try {
    return refusal.parse(JSON.parse(body));
  } catch {
    return refusal.parse({}); // HTML, mostly.
  }
}

function reasonOf(status: number, { message, policyName, correlationId }: Refusal, { method, path }: ApiCall): string {
  const said = [message ?? "no reason given", policyName, correlationId && `correlationId ${correlationId}`];
  return `${PEER} answered ${status} for ${method} ${path.split("?")[0]}: ${said.filter(Boolean).join("; ")}`;
}

function scopesHint({ context }: Refusal): string {
  const missing = context?.missingScopes ?? [];
  return missing.length > 0
    ? `Give the key the scope ${missing.join(", ")}.`
    : "Give the key the scopes that docs/hubspot.md lists.";
}

function hintFor(status: number): string {
  if (status === 414) return "The names of its properties are too long for one request.";
  return "prickle asks in a way this account does not take: please report it.";
}

function refused(reason: string, hint: string): PrickleError {
  return new PrickleError("SOURCE_REFUSED", reason, { hint });
}

function migrating(reason: string, retryAfterMs: number | null): PrickleError {
  return new PrickleError("SOURCE_LIMITED", reason, {
    hint: "HubSpot moves the account to another data centre: the next sync goes on from here.",
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  });
}

/** Up to a day, where other waits are at most an hour. */
function retryAfterSeconds(header: string | undefined): number | null {
  if (header === undefined || !/^\d+$/.test(header)) return null;
  return Math.min(MOST_RETRY_AFTER_MS, Number(header) * 1000);
}

/** A body cut short by a proxy, or a page of HTML. */
function isWhole(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}

function again(reason: string, afterMs: number | null) {
  return { kind: "again", reason, afterMs } as const;
}

function fail(error: PrickleError): Verdict {
  return { kind: "fail", error };
}
