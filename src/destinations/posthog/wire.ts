/** Sends events as one request, packed, and makes what goes wrong on the way a value. */

import { type Budget, createBudget } from "../../core/budget.ts";
import type { Clock } from "../../core/clock.ts";
import type { Service } from "../../core/service.ts";
import { createHttpClient, type HttpAnswer, HttpFailure } from "../../platform/http-client.ts";
import { notReached, parseObject, type Refused, type Retry, TOO_LARGE } from "./answer.ts";
import { type Compression, createBatchPacker, type Envelope, type Piece } from "./batch.ts";

export interface Wire {
  /** Waits until its service may have one more request. Reasons hold no token. */
  post(request: WireRequest, signal: AbortSignal): Promise<HttpAnswer | Retry | Refused>;
  close(): Promise<void>;
}

export interface WireRequest {
  readonly service: Service;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly envelope: Envelope;
  readonly pieces: readonly Piece[];
  readonly compression: Compression;
  /** Packed; what has more is not sent. */
  readonly maxWireBytes: number;
}

export interface WireOptions {
  readonly origin: string;
  readonly token: string;
  readonly version: string;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly requestsPerSecond: RequestRates;
  readonly clock: Clock;
}

/** Requests per second of each service; null: no limit. */
export type RequestRates = Readonly<Record<Service, number | null>>;

/** Ten thousand results with their details. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const UNSUPPORTED_ENCODING = 415;
const TIMEOUTS_IN_ALL = 3;

export function createWire(options: WireOptions): Wire {
  const { origin, token, version, concurrency, timeoutMs, requestsPerSecond, clock } = options;
  const budgets = {
    live: budgetOf(requestsPerSecond.live, clock),
    historical: budgetOf(requestsPerSecond.historical, clock),
  };
  const client = createHttpClient({
    origin,
    connections: concurrency,
    timeoutMs,
    totalTimeoutMs: TIMEOUTS_IN_ALL * timeoutMs,
    maxAnswerBytes: MAX_ANSWER_BYTES,
  });
  const pack = createBatchPacker();
  const own = { "content-type": "application/json", "user-agent": `prickle/${version}` };
  /** A peer, or a proxy before it, once said that it does not know the encoding. */
  let isPlain = false;

  async function send(request: WireRequest, compression: Compression, signal: AbortSignal) {
    const { service, path, headers, envelope, pieces, maxWireBytes } = request;
    const body = await pack(envelope, pieces, compression);
    if (body.length > maxWireBytes) return tooLarge(body.length, maxWireBytes);
    await budgets[service]?.take(signal);
    const encoding = compression === "none" ? {} : { "content-encoding": compression };
    try {
      const answer = await client.post({ path, headers: { ...own, ...headers, ...encoding }, body, signal });
      return { ...answer, body: answer.body.replaceAll(token, "…") };
    } catch (thrown) {
      if (!(thrown instanceof HttpFailure)) throw thrown;
      return notReached(thrown.message);
    }
  }

  return {
    async post(request, signal) {
      const compression = isPlain ? "none" : request.compression;
      const answer = await send(request, compression, signal);
      if (!isUnpackable(answer) || compression === "none") return answer;
      isPlain = true;
      return send(request, "none", signal);
    },
    close: () => client.close(),
  };
}

/** A window of a second, stretched until the requests in it are a whole number. */
function budgetOf(perSecond: number | null, clock: Clock): Budget | null {
  if (perSecond === null) return null;
  const perWindow = Math.ceil(perSecond);
  return createBudget({ perWindow, windowMs: (1000 * perWindow) / perSecond }, clock);
}

function isUnpackable(answer: HttpAnswer | Retry | Refused): boolean {
  if (!("status" in answer) || answer.status !== UNSUPPORTED_ENCODING) return false;
  return parseObject(answer.body)?.error !== "unsupported_content_type";
}

function tooLarge(bytes: number, most: number): Refused {
  const reason = `the request has ${bytes} bytes packed; PostHog takes ${most}`;
  return { kind: "refused", reason, code: TOO_LARGE };
}
