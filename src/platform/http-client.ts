/** HTTP out: a keep-alive pool per peer, with every wait bounded and every answer capped. */

import type { Dispatcher, Pool } from "undici";

export interface HttpClientOptions {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Connections kept open, and so requests in flight. */
  readonly connections: number;
  /** For connecting, for the head of the answer, and between parts of its body, each, in ms. */
  readonly timeoutMs: number;
  /** For one request from its start to the end of its answer, in ms; default: no bound, however slowly it drips. */
  readonly totalTimeoutMs?: number;
  /** Of an answer's body; what is beyond is not read. */
  readonly maxAnswerBytes?: number;
}

export interface HttpClient {
  /**
   * Sends one request and reads its answer, whatever its status; redirects are not followed and nothing is repeated.
   * Rejects with `HttpFailure` when there is no complete answer: refused, reset, timed out, cut short, aborted.
   */
  post(request: HttpPost): Promise<HttpAnswer>;
  /** As `post`. */
  get(request: HttpGet): Promise<HttpAnswer>;
  close(): Promise<void>;
}

export interface HttpGet {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface HttpPost extends HttpGet {
  readonly body: Uint8Array;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Text of the body up to `maxAnswerBytes`. */
  readonly body: string;
}

/** `message` names the code (`ECONNREFUSED`, `UND_ERR_HEADERS_TIMEOUT` …) and holds nothing of the request. */
export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
}

const MAX_ANSWER_BYTES = 64 * 1024;

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { origin, connections, timeoutMs, totalTimeoutMs, maxAnswerBytes } = options;
  const limit = maxAnswerBytes ?? MAX_ANSWER_BYTES;
  let opened: Promise<Pool> | null = null;

  /** Loaded when there is something to ask: most commands have nothing. */
  async function openPool(): Promise<Pool> {
    const undici = await import("undici");
    return new undici.Pool(origin, {
      connections,
      pipelining: 1,
      connect: { timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      keepAliveTimeout: 30_000,
    });
  }

  async function request(asked: Dispatcher.RequestOptions & Pick<HttpGet, "signal">): Promise<HttpAnswer> {
    const over = totalTimeoutMs === undefined ? null : AbortSignal.timeout(totalTimeoutMs);
    const signal = over ? AbortSignal.any([asked.signal, over]) : asked.signal;
    try {
      opened ??= openPool();
      const answer = await (await opened).request({ ...asked, signal });
      return { status: answer.statusCode, headers: flat(answer.headers), body: await readUpTo(answer.body, limit) };
    } catch (thrown) {
      throw new HttpFailure(describeFailure(thrown), { cause: thrown });
    }
  }

  return {
    post: ({ path, headers, body, signal }) => request({ method: "POST", path, headers, body, signal }),
    get: ({ path, headers, signal }) => request({ method: "GET", path, headers, signal }),
    close: async () => (await opened)?.destroy(),
  };
}

function flat(headers: Record<string, string | string[] | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat()[0]]));
}

/** Leaving the loop destroys the stream, and with it the connection: cheaper than reading on. */
async function readUpTo(stream: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= maxBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString("utf8");
}

/** The code and what it says, and nothing of the request. */
export function describeFailure(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const code = "code" in thrown && typeof thrown.code === "string" ? thrown.code : thrown.name;
  return `${code}: ${thrown.message || "no details"}`;
}
