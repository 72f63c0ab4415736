/** What the fake PostHog does with a request that was read, by either protocol: what it stores of it, and how it answers. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { type Failing, isAmong, type Stored } from "./posthog-failures.ts";
import { createIdLimit } from "./posthog-limits.ts";
import type { Refusal } from "./posthog-refusal.ts";
import type { PosthogRules } from "./posthog-rules.ts";
import { isPersonlessId, type PosthogStore } from "./posthog-store.ts";
import { receiveV0 } from "./posthog-v0.ts";
import { type Judged, PERSONLESS, receiveV1, V1Refusal, type V1Result } from "./posthog-v1.ts";

export interface CapturedRequest {
  readonly protocol: "v0" | "v1";
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As it came, before decompression. */
  readonly wireBytes: number;
  readonly text: string;
  readonly uuids: readonly string[];
}

/** Reads a request. Throws `Refusal`. */
type Take = (wire: Buffer, request: IncomingMessage, response: ServerResponse) => Taken;

interface Taken {
  readonly captured: CapturedRequest;
  readonly failing: Failing;
}

type Told = Readonly<Record<string, V1Result | null>>;

const NOT_STORED: ReadonlySet<string> = new Set(["retry", "drop", "limited"]);

export function createCapture(store: PosthogStore, rules: PosthogRules): Readonly<Record<"v0" | "v1", Take>> {
  const limited = createIdLimit(rules);

  const takeV0: Take = (wire, request, response) => {
    const { text, events } = receiveV0(wire, rules.now());
    const uuids = events.map(({ uuid }) => uuid);
    const accept = (more = {}) => answerJson(response, 200, { status: "Ok", ...more });
    const apply = (stored: Stored = "all") => {
      for (const [at, event] of events.entries()) if (isAmong(stored, at, events.length)) store.store(limited(event));
    };
    const failing: Failing = {
      request,
      response,
      apply,
      accept,
      refuseForQuota: () => accept({ quota_limited: ["events"] }),
      errorBody: (_, told = TOLD) => told,
      withResults() {
        apply();
        accept();
      },
    };
    return { captured: { protocol: "v0", headers: request.headers, wireBytes: wire.length, text, uuids }, failing };
  };

  const takeV1: Take = (wire, request, response) => {
    const { text, uuids, judged } = receiveV1(request.headers, wire, rules.now());
    const results = new Map([...judged].map(([uuid, { result }]) => [uuid, result]));

    function storeOne(uuid: string, { event }: Judged, told: V1Result | null = null): void {
      if (!event || NOT_STORED.has(told?.result ?? "ok")) return;
      const admitted = limited(event);
      const isOver = admitted !== event && !isPersonlessId(event.distinctId);
      if (isOver) results.set(uuid, { result: "warning", details: PERSONLESS });
      const { isPersonless = false } = admitted;
      store.store({ ...admitted, isPersonless: isPersonless || told?.details === PERSONLESS });
    }

    function apply(stored: Stored = "all"): void {
      for (const [at, [uuid, one]] of [...judged].entries()) if (isAmong(stored, at, judged.size)) storeOne(uuid, one);
    }

    function answerResults(told: Told, retryAfter = "1"): void {
      const all = [...results].map(([uuid, result]) => [uuid, told[uuid] === undefined ? result : told[uuid]] as const);
      const isPartial = all.some(([, result]) => result?.result === "retry");
      const headers = { ...echo(request), ...(isPartial ? { "retry-after": retryAfter } : {}) };
      answerJson(response, 200, { results: Object.fromEntries(all.filter(([, result]) => result !== null)) }, headers);
    }

    const failing: Failing = {
      request,
      response,
      apply,
      accept: () => answerResults({}),
      refuseForQuota: () => answerV1Error(402, "billing_limit_exceeded", request, response),
      errorBody: (status, told) => (TAGS[status] === undefined ? (told ?? TOLD) : v1ErrorBody(TAGS[status], told)),
      withResults({ results: told, retryAfter }) {
        for (const [uuid, one] of judged) storeOne(uuid, one, told[uuid]);
        answerResults(told, retryAfter);
      },
    };
    return { captured: { protocol: "v1", headers: request.headers, wireBytes: wire.length, text, uuids }, failing };
  };

  return { v0: takeV0, v1: takeV1 };
}

export function answerRefusal(refusal: Refusal, request: IncomingMessage, response: ServerResponse): void {
  if (refusal instanceof V1Refusal) answerV1Error(refusal.status, refusal.message, request, response);
  else response.writeHead(refusal.status, { "content-type": "text/plain" }).end(refusal.message);
}

/** Of v1, by status; others have none: proxies answer them, or nobody does (facts on PostHog, 3.5). */
const TAGS: Readonly<Record<number, string>> = {
  400: "request_parsing_error",
  401: "invalid_api_token",
  402: "billing_limit_exceeded",
  408: "request_timeout",
  413: "payload_too_large",
  415: "unsupported_encoding",
  429: "rate_limited",
  500: "internal_error",
  503: "service_unavailable",
  504: "gateway_timeout",
};

export const TOLD = "told to fail";

function answerV1Error(status: number, tag: string, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(status, { "content-type": "application/json", ...echo(request) }).end(v1ErrorBody(tag));
}

function v1ErrorBody(tag: string, description = TOLD): string {
  return JSON.stringify({ error: tag, error_description: description, error_uri: "https://posthog.com/docs/api" });
}

function echo({ headers }: IncomingMessage): Record<string, string> {
  const id = headers["posthog-request-id"];
  return typeof id === "string" ? { "posthog-request-id": id } : {};
}

function answerJson(response: ServerResponse, status: number, body: object, headers: object = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}
