/** What PostHog's answers mean by protocol v1: of the request, and of each event (facts on PostHog, 3.4 and 3.5, seen 2026-11). */

import { DELIVERED, type Outcome } from "../../core/destination.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { parseRetryAfterMs } from "../../core/retry.ts";
import type { HttpAnswer } from "../../platform/http-client.ts";
import { type Absent, codeOf, parseObject, quote, type Refused, type Retry, readError } from "./answer.ts";
import { type CheckedMessage, isGroupMessage } from "./checked.ts";
import { holdsUuid, type MessageText, UUID_LENGTH } from "./message-text.ts";

export type V1Answer = typeof DELIVERED | V1Results | Retry | Refused | Absent;

export interface V1Results {
  readonly kind: "results";
  /** By uuid. */
  readonly results: JsonObject;
  readonly retryAfterMs: number | null;
}

const NOT_THERE: ReadonlySet<number> = new Set([404, 405, 501]);
/** What any proxy may say of a request that is too much for it, or too early. */
const OF_ANYBODY: ReadonlySet<number> = new Set([402, 408, 413, 429]);

/** What was asked. */
export interface V1Question {
  readonly messages: readonly MessageText[];
  readonly requestId: string;
}

/** `now` is ms UTC. */
export function readV1Answer(answer: HttpAnswer, { messages, requestId }: V1Question, now: number): V1Answer {
  const { status, headers, body } = answer;
  if (status === 200 && saysAllOk(body, messages)) return DELIVERED;
  const parsed = parseObject(body);
  // Results may be left out: the id of the request then tells that it is PostHog who says so.
  const isOwn = headers["posthog-request-id"] === requestId;
  const results = parsed?.results === undefined && parsed?.error === undefined && isOwn ? {} : parsed?.results;
  if (status === 200 && parsed !== null && isJsonObject(results)) {
    return { kind: "results", results, retryAfterMs: parseRetryAfterMs(headers["retry-after"], now) };
  }
  const tag = typeof parsed?.error === "string" ? parsed.error : null;
  const isForeign = status < 500 && tag === null && !OF_ANYBODY.has(status);
  if (isForeign || NOT_THERE.has(status)) {
    return { kind: "absent", reason: `PostHog answered ${status} to protocol v1: ${quote(body)}` };
  }
  return readError(answer, now, tag);
}

/** Whether it is what PostHog says when it stored all: to parse that would cost as much as to pack the request. */
function saysAllOk(body: string, messages: readonly MessageText[]): boolean {
  // Bytes are looked at several times as fast as the characters of a text.
  const bytes = Buffer.from(body);
  let at = 0;
  for (let place = 0; place < messages.length; place++) {
    const message = messages[place];
    const before = place === 0 ? FIRST : NEXT;
    if (!message || !holds(bytes, at, before) || !holdsUuid(bytes, at + before.length, message)) return false;
    at += before.length + UUID_LENGTH;
  }
  return bytes.length === at + END.length && holds(bytes, at, END);
}

function holds(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let step = 0; step < wanted.length; step++) if (bytes[at + step] !== wanted[step]) return false;
  return true;
}

const FIRST = Buffer.from('{"results":{"');
const NEXT = Buffer.from('":{"result":"ok"},"');
const END = Buffer.from('":{"result":"ok"}}}');

/** What became of one event; `again`: it was not stored, and may be sent again alone. */
export function readResult(result: JsonValue | undefined, message: CheckedMessage): Outcome | "again" {
  // PostHog's own clients count it as taken.
  if (result === undefined) return { kind: "delivered", note: "PostHog's answer leaves the event out", code: "absent" };
  const { result: said, details = null } = isJsonObject(result) ? result : { result: null };
  const detail = typeof details === "string" && details !== "" ? details : null;
  switch (said) {
    case "retry":
      return "again";
    case "ok":
      return detail === null ? DELIVERED : readRemark("ok", detail, message);
    case "warning":
      return readRemark("warning", detail, message);
    case "drop":
    case "limited":
      return dead(`PostHog answered ${said}${detail === null ? "" : `: ${quote(detail)}`}`, codeOf(detail, said));
  }
  const shown = quote(JSON.stringify(result));
  return dead(`PostHog answered with a result that is not known: ${shown}`, "unknown_result");
}

/** Stored, but. Without person processing PostHog does nothing to groups. */
function readRemark(said: string, detail: string | null, message: CheckedMessage): Outcome {
  if (detail === PERSONLESS && isGroupMessage(message)) {
    return dead(`PostHog answered ${said}: ${detail}: it took the event and did nothing to its groups`, PERSONLESS);
  }
  return { kind: "delivered", note: `PostHog answered ${said}: ${quote(detail ?? "")}`, code: codeOf(detail, said) };
}

const PERSONLESS = "person_processing_disabled";

function dead(reason: string, code: string): Outcome {
  return { kind: "dead", reason, code };
}
