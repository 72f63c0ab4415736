/** The load generator: keep-alive HTTP/1.1 over raw sockets, one request in flight per client. A process of its own. */

import { connect, type Socket } from "node:net";
import { createBodies } from "./call-bytes.ts";
import { runToEnd } from "./process.ts";

export interface LoadOptions {
  readonly url: string;
  readonly path: string;
  readonly clients: number;
  readonly callsPerRequest: number;
  readonly warmupMs: number;
  readonly durationMs: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Different for each run against the same server. */
  readonly runId: string;
}

export interface LoadResult {
  /** After the warm-up: answered 2xx. */
  readonly requests: number;
  readonly calls: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Calls answered 2xx in all, warm-up and last answers included: what must have arrived. */
  readonly callsInAll: number;
  /** Other answers and broken connections. */
  readonly failures: number;
}

export function runLoad(options: LoadOptions): Promise<LoadResult> {
  return runToEnd("load.ts", { input: options });
}

async function generateLoad(options: LoadOptions): Promise<LoadResult> {
  const { clients, callsPerRequest, warmupMs, durationMs } = options;
  const request = createRequests(options);
  const startedAt = performance.now();
  const from = startedAt + warmupMs;
  const to = from + durationMs;
  const latencies: number[] = [];
  let failures = 0;
  let answered = 0;
  const onAnswer = (status: number, sentAt: number) => {
    const now = performance.now();
    if (status < 200 || status > 299) failures += 1;
    else {
      answered += 1;
      if (now >= from && now < to) latencies.push(now - sentAt);
    }
    return now < to;
  };
  await Promise.all(Array.from({ length: clients }, () => runClient(new URL(options.url), request, onAnswer)));
  latencies.sort((one, other) => one - other);
  const quantile = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    requests: latencies.length,
    calls: latencies.length * callsPerRequest,
    perSecond: (latencies.length * callsPerRequest) / (durationMs / 1000),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: quantile(1),
    callsInAll: answered * callsPerRequest,
    failures,
  };
}

function createRequests({ url, path, headers, callsPerRequest, runId }: LoadOptions): () => Buffer {
  const nextBody = createBodies(callsPerRequest, runId);
  const fields = { host: new URL(url).host, "content-type": "application/json", ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${path} HTTP/1.1\r\n${lines.join("")}content-length: `;
  return () => {
    const body = nextBody();
    return Buffer.concat([Buffer.from(`${head}${body.length}\r\n\r\n`), body]);
  };
}

/** Sends, waits for the whole answer, and goes on as long as `onAnswer` says so. A lost connection is a failure and ends the client. */
function runClient(
  { hostname, port }: URL,
  nextRequest: () => Buffer,
  onAnswer: (status: number, sentAt: number) => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const socket: Socket = connect(Number(port), hostname);
    socket.setNoDelay(true);
    let sentAt = 0;
    let received = "";
    let going = true;
    const send = () => {
      sentAt = performance.now();
      socket.write(nextRequest());
    };
    socket.on("connect", send);
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      const status = wholeAnswer(received);
      if (status === null) return;
      received = "";
      going = onAnswer(status, sentAt);
      if (going) send();
      else socket.end();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (going) onAnswer(0, sentAt);
      resolve();
    });
  });
}

/** The status once head and body are complete, else null. Answers carry a content-length. */
function wholeAnswer(received: string): number | null {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  const length = /content-length: *(\d+)/i.exec(received.slice(0, headEnd))?.[1];
  if (received.length < headEnd + 4 + Number(length ?? 0)) return null;
  return Number(received.slice(9, 12));
}

if (import.meta.main) {
  const options: LoadOptions = JSON.parse(process.argv[2] ?? "{}");
  console.log(JSON.stringify(await generateLoad(options)));
}
