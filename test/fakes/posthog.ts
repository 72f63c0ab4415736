/**
 * PostHog's capture by both protocols, and its private API, on loopback: refuses what the real one refuses, folds what
 * ClickHouse folds, applies groups in order of arrival, and can be told to fail. Facts: PostHog's capture service and docs, as of 2026-11.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerPrivateApi, createPrivateApi, type PrivateApi } from "./posthog-api.ts";
import { answerRefusal, type CapturedRequest, createCapture, TOLD } from "./posthog-capture.ts";
import { type Failure, fail, failUnread, type UnreadFailure } from "./posthog-failures.ts";
import { Refusal } from "./posthog-refusal.ts";
import { createPosthogRules, dropAgeMs, type PosthogRules } from "./posthog-rules.ts";
import { createPosthogStore, type PosthogStore } from "./posthog-store.ts";
import { MOST_READ_BYTES } from "./posthog-v0.ts";

export type { Failure, UnreadFailure } from "./posthog-failures.ts";

export interface FakePosthog extends PosthogStore {
  /** Who may read the project, and how it fails. */
  readonly api: PrivateApi;
  readonly rules: PosthogRules;
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
  failNext(...failures: readonly (Failure | UnreadFailure | null)[]): void;
  /** Asked about every request that no `failNext` took. */
  failWhen(rule: (uuids: readonly string[], protocol: "v0" | "v1") => Failure | null): void;
  /** Asked about every request of capture before it is read. */
  failUnread(rule: () => UnreadFailure | null): void;
  close(): Promise<void>;
}

const V0_PATH = /^\/batch\/?$/;
const V1_PATH = /^\/i\/v1\/analytics\/events\/?$/;

export async function startFakePosthog(port = 0): Promise<FakePosthog> {
  const rules = createPosthogRules();
  const api = createPrivateApi(() => rules.now());
  const store = createPosthogStore(rules, () => dropAgeMs(api.settings));
  const capture = createCapture(store, rules);
  const requests: CapturedRequest[] = [];
  const script: (Failure | UnreadFailure | null)[] = [];
  let rule: Parameters<FakePosthog["failWhen"]>[0] = () => null;
  let unreadRule: Parameters<FakePosthog["failUnread"]>[0] = () => null;
  const own: Pick<FakePosthog, "hasV1" | "broken"> & { probes: number } = { hasV1: true, broken: null, probes: 0 };

  const server = createServer((request, response) => {
    answer(request, response).catch((thrown: unknown) => {
      if (!(thrown instanceof Refusal)) return void request.destroy();
      if (thrown.message === "empty_batch") own.probes += 1;
      answerRefusal(thrown, request, response);
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url?.startsWith("/api/")) return answerApi(request, response);
    const unread = isUnread(script[0]) ? script.shift() : unreadRule();
    if (isUnread(unread)) return failUnread(unread, request);
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const isV1 = own.hasV1 && V1_PATH.test(pathname);
    const wire = await readAll(request, isV1 ? Number.POSITIVE_INFINITY : MOST_READ_BYTES);
    if (own.broken) return fail(own.broken, { ...NOTHING_TO_STORE, request, response });
    if (!isV1 && !V0_PATH.test(pathname)) throw new Refusal(404, "not found");
    if (request.method !== "POST") throw new Refusal(405, "method not allowed");
    const { captured, failing } = (isV1 ? capture.v1 : capture.v0)(wire, request, response);
    requests.push(captured);
    const failure = script.length > 0 ? (script.shift() ?? null) : rule(captured.uuids, captured.protocol);
    if (!failure) {
      failing.apply();
      failing.accept();
      return;
    }
    // Another request took its turn while this one was read.
    await (isUnread(failure) ? failUnread({ ...failure, at: "head" }, request) : fail(failure, failing));
  }

  async function answerApi(request: IncomingMessage, response: ServerResponse): Promise<void> {
    api.requests.push(request.url ?? "");
    const failing = api.script.shift() ?? api.failure;
    if (failing) return fail(failing, { ...NOTHING_TO_STORE, request, response });
    answerPrivateApi(api, store, request, (await readAll(request)).toString(), response);
  }

  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo; // A server listening on TCP has one.
  return Object.assign(own, {
    ...store,
    api,
    rules,
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    forgetRequests: () => void requests.splice(0),
    failNext: (...failures: readonly (Failure | UnreadFailure | null)[]) => void script.push(...failures),
    failWhen(newRule: typeof rule) {
      rule = newRule;
    },
    failUnread(newRule: typeof unreadRule) {
      unreadRule = newRule;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

function isUnread(failure: Failure | UnreadFailure | null | undefined): failure is UnreadFailure {
  return failure !== null && failure !== undefined && "at" in failure;
}

const NOTHING_TO_STORE = {
  apply: () => undefined,
  accept: () => undefined,
  refuseForQuota: () => undefined,
  errorBody: (_: number, text = TOLD) => text,
  withResults: () => undefined,
};

/** A body of more than `mostBytes` is not read to its end: the connection is reset. */
async function readAll(request: IncomingMessage, mostBytes = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > mostBytes) {
      request.socket.resetAndDestroy();
      throw new Error("the body is too large to be read");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
