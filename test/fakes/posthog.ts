/**
 * PostHog's v0 capture, and its list of group types, on loopback: refuses what the real one refuses, folds what ClickHouse folds, applies groups in
 * order of arrival, and can be told to fail. Facts: PostHog's capture service and docs, as of 2026-11.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { answerPrivateApi, createPrivateApi, type PrivateApi } from "./posthog-api.ts";
import { createPosthogStore, type PosthogStore } from "./posthog-store.ts";

export type Failure =
  /** Nothing is stored. */
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: string; readonly body?: string }
  | { readonly kind: "reset" }
  | { readonly kind: "hang" }
  /** 200, yet thrown away. */
  | { readonly kind: "quotaLimited" }
  /** All is stored; the caller never learns of it. */
  | { readonly kind: "applyThenDrop" }
  | { readonly kind: "truncatedAnswer" }
  /** All is stored; the answer comes after `release`. */
  | { readonly kind: "slow"; readonly release: Promise<void> };

export interface CapturedRequest {
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
  readonly requests: readonly CapturedRequest[];
  /** The next requests fail so, one after the other; null lets one pass. */
  failNext(...failures: readonly (Failure | null)[]): void;
  /** Asked about every request that no `failNext` took. */
  failWhen(rule: (uuids: readonly string[]) => Failure | null): void;
  close(): Promise<void>;
}

const MAX_WIRE_BYTES = 20 * 1024 * 1024;
const MAX_BYTES = 5 * MAX_WIRE_BYTES;

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function startFakePosthog(port = 0): Promise<FakePosthog> {
  const store = createPosthogStore((status, message) => new Refusal(status, message));
  const requests: CapturedRequest[] = [];
  const script: (Failure | null)[] = [];
  let rule: (uuids: readonly string[]) => Failure | null = () => null;

  const server = createServer((request, response) => {
    answer(request, response).catch((thrown: unknown) => {
      if (thrown instanceof Refusal) {
        response.writeHead(thrown.status, { "content-type": "text/plain" }).end(thrown.message);
      } else request.destroy();
    });
  });

  const api = createPrivateApi();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url?.startsWith("/api/")) {
      api.requests.push(request.url);
      const failing = api.script.shift() ?? api.failure;
      if (failing) await fail(failing, () => undefined, request, response);
      else answerPrivateApi(api, store, request, (await readAll(request)).toString(), response);
      return;
    }
    const wire = await readAll(request);
    if (!/^\/batch\/?$/.test(new URL(request.url ?? "/", "http://localhost").pathname))
      throw new Refusal(404, "not found");
    if (request.method !== "POST") throw new Refusal(405, "method not allowed");
    if (wire.length > MAX_WIRE_BYTES) throw new Refusal(413, "payload too large");
    const text = inflate(wire);
    const { events, apply } = store.receive(text);
    const uuids = events.map(({ uuid }) => uuid);
    requests.push({ headers: request.headers, wireBytes: wire.length, text, uuids });
    const failure = script.length > 0 ? (script.shift() ?? null) : rule(uuids);
    if (!failure) {
      apply();
      accept(response);
      return;
    }
    await fail(failure, apply, request, response);
  }

  async function fail(
    failure: Failure,
    apply: () => void,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    switch (failure.kind) {
      case "status": {
        const headers = failure.retryAfter === undefined ? {} : { "retry-after": failure.retryAfter };
        response.writeHead(failure.status, headers).end(failure.body ?? "told to fail");
        return;
      }
      case "reset":
        request.socket.resetAndDestroy();
        return;
      case "hang":
        return;
      case "quotaLimited":
        accept(response, { quota_limited: ["events"] });
        return;
      case "applyThenDrop":
        apply();
        request.socket.destroy();
        return;
      case "truncatedAnswer":
        apply();
        response.writeHead(200, { "content-length": "100" }).write(`{"status":`);
        setImmediate(() => request.socket.destroy());
        return;
      case "slow":
        apply();
        await failure.release;
        accept(response);
        return;
    }
  }

  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo; // A server listening on TCP has one.
  return {
    ...store,
    api,
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    failNext: (...failures) => void script.push(...failures),
    failWhen(newRule) {
      rule = newRule;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function accept(response: ServerResponse, more: object = {}): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ status: "Ok", ...more }));
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** By its magic bytes, whatever the headers say. */
function inflate(wire: Buffer): string {
  if (!(wire[0] === 0x1f && wire[1] === 0x8b)) return wire.toString("utf8");
  try {
    return gunzipSync(wire, { maxOutputLength: MAX_BYTES }).toString("utf8");
  } catch {
    throw new Refusal(400, "failed to decode request");
  }
}
