/** An HTTP API on loopback that can be told to fail: what the fakes of CRMs stand on. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ApiRequest {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

export interface ApiReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, if it is no text. */
  readonly body?: unknown;
}

export type ApiFailure = ApiReply | "reset" | "cutShort" | { readonly slow: Promise<void> };

export interface LoopbackApi {
  readonly url: string;
  /** All that came, those that failed included: `GET /path?query`. */
  readonly requests: readonly string[];
  /** The next requests fail so, one after the other; null lets one pass. */
  failNext(...failures: readonly (ApiFailure | null)[]): void;
  /** Called before each answer is made, with the number of requests so far. */
  onRequest(listener: (request: ApiRequest, count: number) => void): void;
  close(): Promise<void>;
}

/** Refuses: `throw new Refused(400, {…})`. */
export class Refused extends Error {
  readonly reply: ApiReply;
  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(`${status}`);
    this.reply = { status, body, headers };
  }
}

/** `clock`: what the Date header says. */
export async function startLoopbackApi(
  answer: (request: ApiRequest) => ApiReply,
  clock: { now(): number },
): Promise<LoopbackApi> {
  const requests: string[] = [];
  const failures: (ApiFailure | null)[] = [];
  let listener: (request: ApiRequest, count: number) => void = () => undefined;

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await read(incoming);
    requests.push(`${request.method} ${incoming.url}`);
    listener(request, requests.length);
    const failure = failures.shift() ?? null;
    if (failure === "reset") return void incoming.socket.resetAndDestroy();
    if (failure === "cutShort") return cutShort(response);
    if (failure && "slow" in failure) await failure.slow;
    else if (failure) return send(response, failure, clock);
    send(response, replyTo(request), clock);
  }

  function replyTo(request: ApiRequest): ApiReply {
    try {
      return answer(request);
    } catch (thrown) {
      if (thrown instanceof Refused) return thrown.reply;
      return { status: 500, body: `the fake itself failed: ${thrown}` };
    }
  }

  const server = createServer((incoming, response) => void handle(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // A server listening on TCP has one.
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    failNext: (...next) => void failures.push(...next),
    onRequest(one) {
      listener = one;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Refuses a parameter that the API does not have: a misspelt one would be a wrong answer. */
export function requireKnown(
  given: Iterable<string>,
  known: readonly string[],
  refuse: (name: string) => Refused,
): void {
  for (const name of given) if (!known.includes(name)) throw refuse(name);
}

async function read(incoming: IncomingMessage): Promise<ApiRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const url = new URL(incoming.url ?? "/", "http://localhost");
  const { method = "GET", headers } = incoming;
  return { method, path: url.pathname, query: url.searchParams, headers, text: Buffer.concat(chunks).toString() };
}

function send(response: ServerResponse, { status = 200, headers = {}, body = "" }: ApiReply, clock: { now(): number }) {
  const date = new Date(clock.now()).toUTCString();
  const isText = typeof body === "string";
  const type = isText ? "text/plain" : "application/json";
  response.sendDate = false;
  response.writeHead(status, { "content-type": type, date, ...headers });
  response.end(isText ? body : JSON.stringify(body));
}

function cutShort(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
  response.write('{"records":[');
  setImmediate(() => response.socket?.destroy());
}
