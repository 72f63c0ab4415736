/**
 * PostHog's capture by both protocols, and its private API, on loopback: refuses what the real one refuses, folds what
 * ClickHouse folds, applies groups in order of arrival, and can be told to fail. Facts: PostHog's capture service and docs, as of 2026-11.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerPrivateApi, createPrivateApi, type PrivateApi } from "./posthog-api.ts";
import { type Failing, type Failure, fail } from "./posthog-failures.ts";
import { Refusal } from "./posthog-refusal.ts";
import { createPosthogStore, type PosthogStore } from "./posthog-store.ts";
import { receiveV0 } from "./posthog-v0.ts";
import { receiveV1, V1Refusal, type V1Result } from "./posthog-v1.ts";

export type { Failure } from "./posthog-failures.ts";

export interface CapturedRequest {
  readonly protocol: "v0" | "v1";
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As it came, before decompression. */
  readonly wireBytes: number;
  readonly text: string;
  readonly uuids: readonly string[];
}

export interface FakePosthog extends PosthogStore {
  /** Who may read the project, and how it fails. */
  readonly api: PrivateApi;
  readonly url: string;
  readonly port: number;
  /** Those whose form was right. */
  readonly requests: readonly CapturedRequest[];
  /** Lets go of `requests`: a long run would keep everything it was sent. */
  forgetRequests(): void;
  /** How often v1 was asked with a batch without events. */
  readonly probes: number;
  /** False: as a server from before v1. */
  hasV1: boolean;
  /** Every request to capture fails so, whatever it is. */
  broken: Failure | null;
  /** The next requests fail so, one after the other; null lets one pass. */
  failNext(...failures: readonly (Failure | null)[]): void;
  /** Asked about every request that no `failNext` took. */
  failWhen(rule: (uuids: readonly string[], protocol: "v0" | "v1") => Failure | null): void;
  close(): Promise<void>;
}

type Rule = Parameters<FakePosthog["failWhen"]>[0];

const V0_PATH = /^\/batch\/?$/;
const V1_PATH = /^\/i\/v1\/analytics\/events\/?$/;
const NOT_STORED: ReadonlySet<string> = new Set(["retry", "drop", "limited"]);

export async function startFakePosthog(port = 0): Promise<FakePosthog> {
  const store = createPosthogStore();
  const requests: CapturedRequest[] = [];
  const script: (Failure | null)[] = [];
  let rule: Rule = () => null;
  const own: Pick<FakePosthog, "hasV1" | "broken"> & { probes: number } = { hasV1: true, broken: null, probes: 0 };

  const server = createServer((request, response) => {
    answer(request, response).catch((thrown: unknown) => {
      if (thrown instanceof V1Refusal) {
        if (thrown.message === "empty_batch") own.probes += 1;
        answerV1Error(thrown.status, thrown.message, request, response);
      } else if (thrown instanceof Refusal) {
        response.writeHead(thrown.status, { "content-type": "text/plain" }).end(thrown.message);
      } else request.destroy();
    });
  });

  const api = createPrivateApi();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url?.startsWith("/api/")) return answerApi(request, response);
    const wire = await readAll(request);
    if (own.broken) return fail(own.broken, { ...NOTHING_TO_STORE, request, response });
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const isV1 = own.hasV1 && V1_PATH.test(pathname);
    if (!isV1 && !V0_PATH.test(pathname)) throw new Refusal(404, "not found");
    if (request.method !== "POST") throw new Refusal(405, "method not allowed");
    const failing = isV1 ? takeV1(wire, request, response) : takeV0(wire, request, response);
    const { uuids = [], protocol = "v0" } = requests.at(-1) ?? {};
    const failure = script.length > 0 ? (script.shift() ?? null) : rule(uuids, protocol);
    if (failure) return fail(failure, failing);
    failing.apply();
    failing.accept();
  }

  async function answerApi(request: IncomingMessage, response: ServerResponse): Promise<void> {
    api.requests.push(request.url ?? "");
    const failing = api.script.shift() ?? api.failure;
    if (failing) return fail(failing, { ...NOTHING_TO_STORE, request, response });
    answerPrivateApi(api, store, request, (await readAll(request)).toString(), response);
  }

  function takeV0(wire: Buffer, request: IncomingMessage, response: ServerResponse): Failing {
    const { text, events } = receiveV0(wire);
    const uuids = events.map(({ uuid }) => uuid);
    requests.push({ protocol: "v0", headers: request.headers, wireBytes: wire.length, text, uuids });
    const accept = (more = {}) => answerJson(response, 200, { status: "Ok", ...more });
    const apply = () => events.forEach(store.store);
    return {
      request,
      response,
      apply,
      accept,
      refuseForQuota: () => accept({ quota_limited: ["events"] }),
      errorBody: (_, text = TOLD) => text,
      withResults() {
        apply();
        accept();
      },
    };
  }

  function takeV1(wire: Buffer, request: IncomingMessage, response: ServerResponse): Failing {
    const { text, uuids, judged } = receiveV1(request.headers, wire);
    requests.push({ protocol: "v1", headers: request.headers, wireBytes: wire.length, text, uuids });
    const storeThose = (isStored: (uuid: string) => boolean) => {
      for (const [uuid, { event }] of judged) if (event && isStored(uuid)) store.store(event);
    };
    const answerResults = (told: Readonly<Record<string, V1Result | null>>, retryAfter = "1") => {
      const all = [...judged].map(
        ([uuid, { result }]) => [uuid, told[uuid] === undefined ? result : told[uuid]] as const,
      );
      const results = Object.fromEntries(all.filter(([, result]) => result !== null));
      const isPartial = all.some(([, result]) => result?.result === "retry");
      answerJson(response, 200, { results }, { ...echo(request), ...(isPartial ? { "retry-after": retryAfter } : {}) });
    };
    return {
      request,
      response,
      apply: () => storeThose(() => true),
      accept: () => answerResults({}),
      refuseForQuota: () => answerV1Error(402, "billing_limit_exceeded", request, response),
      errorBody: (status, text) => v1ErrorBody(TAGS[status] ?? "internal_error", text),
      withResults({ results, retryAfter }) {
        storeThose((uuid) => !NOT_STORED.has(results[uuid]?.result ?? "ok"));
        answerResults(results, retryAfter);
      },
    };
  }

  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo; // A server listening on TCP has one.
  return Object.assign(own, {
    ...store,
    api,
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    forgetRequests: () => void requests.splice(0),
    failNext: (...failures: readonly (Failure | null)[]) => void script.push(...failures),
    failWhen(newRule: Rule) {
      rule = newRule;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

/** Of v1, by status. */
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

const TOLD = "told to fail";
const NOTHING_TO_STORE = {
  apply: () => undefined,
  accept: () => undefined,
  refuseForQuota: () => undefined,
  errorBody: (_: number, text = TOLD) => text,
  withResults: () => undefined,
};

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

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
