/** Senders that are slow, huge, gone, early or wrong about lengths: what the connections themselves do. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "../../src/platform/clock.ts";
import { type Doors, type ServerLimits, startServer } from "../../src/server/server.ts";
import { exchange, PATIENCE, post, type Running, rawPost, startRunning, statusesOf, WITH_KEY } from "./running.ts";

const MB = 1024 * 1024;
const KEY_LINE = `Authorization: ${WITH_KEY.authorization}`;
const CLOSE_LINE = "Connection: close";
/** All that a sender may still get taken in when its body is too large: the door for PostHog's clients keeps the most. */
const MOST_KEPT_MB = 20;

let running: Running;
let calls = 0;

beforeAll(async () => {
  running = await startRunning();
});

afterEach(async () => {
  expect((await post(`${running.url}/v1/track`, goodCall(), WITH_KEY)).status).toBe(200);
  expect(running.errors()).toEqual([]);
});

afterAll(() => running.remove());

function goodCall() {
  calls += 1;
  return { userId: "u1", event: "Good", messageId: `good-${calls}` };
}

function goodRequest(...lines: readonly string[]): Buffer {
  return rawPost("/v1/track", JSON.stringify(goodCall()), [KEY_LINE, ...lines]);
}

async function committed(): Promise<number> {
  return (await running.operations.status()).committed;
}

/** How many messages `work` left on disk. */
async function committedBy(work: () => Promise<unknown>): Promise<number> {
  const before = await committed();
  await work();
  return (await committed()) - before;
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** Bytes in use once garbage is gone. */
function bytesInUse(): number {
  collectGarbage();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

interface Blanks {
  readonly megabytes: number;
  readonly isChunked?: boolean;
  /** Sees every few megabytes what is in use. */
  readonly watch?: (bytes: number) => void;
}

/** The head of a request and a body of blanks, piece by piece. */
function* blanksAfter(head: Buffer, { megabytes, isChunked = false, watch }: Blanks) {
  const blanks = Buffer.alloc(MB, " ");
  yield head;
  for (let sent = 0; sent < megabytes; sent++) {
    if (sent % 5 === 0) watch?.(bytesInUse());
    if (isChunked) yield `${blanks.length.toString(16)}\r\n`;
    yield blanks;
    if (isChunked) yield "\r\n";
  }
  if (isChunked) yield "0\r\n\r\n";
}

/** Unpacks to 640 MB. */
function gzipBomb(): Buffer {
  const member = gzipSync(Buffer.alloc(16 * MB, " "), { level: 9 });
  return Buffer.concat(Array<Buffer>(40).fill(member));
}

/** How much the largest size this process ever had grew, in MB. */
async function peakGrowthOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.resourceUsage().maxRSS;
  await work();
  return (process.resourceUsage().maxRSS - before) / 1024;
}

describe("a body that unpacks to 640 MB", () => {
  const bomb = gzipBomb();
  const headers = { ...WITH_KEY, "content-encoding": "gzip" };
  const statusOf = async (path: string, body: Buffer) => (await post(`${running.url}${path}`, body, headers)).status;

  it.each(["/v1/track", "/v1/batch", "/webhooks/main"])(
    "is answered 413 by %s, and unpacked no further",
    async (path) => {
      expect(bomb.length).toBeLessThan(MB);
      const statuses: number[] = [];
      const growth = await peakGrowthOf(async () => {
        for (let time = 0; time < 3; time++) statuses.push(await statusOf(path, bomb));
      });
      expect(statuses).toEqual([413, 413, 413]);
      expect(growth).toBeLessThan(150);
    },
  );

  it("is answered without taking more memory than is set aside, however many come at once", async () => {
    const statuses = new Set<number>();
    const growth = await peakGrowthOf(async () => {
      const all = Array.from({ length: 30 }, (_, index) => statusOf("/batch/", index % 2 ? bomb : gzipSync(bomb)));
      for (const status of await Promise.all(all)) statuses.add(status);
    });
    expect(statuses).toContain(503);
    expect([...statuses].filter((status) => status !== 413 && status !== 503)).toEqual([]);
    expect(growth).toBeLessThan(1000);
  });
});

describe("a body of 50 MB", () => {
  it.each([
    ["/v1/track", `Content-Length: ${50 * MB}`],
    ["/v1/batch", "Transfer-Encoding: chunked"],
    ["/webhooks/main", `Content-Length: ${50 * MB}`],
    ["/batch/", "Transfer-Encoding: chunked"],
    ["/api/status", `Content-Length: ${50 * MB}`],
  ])("is answered 413 by %s when all of it was sent, and not kept: %s", async (path, lengthLine) => {
    const key = path.startsWith("/api/") ? `Authorization: Bearer ${running.adminToken}` : KEY_LINE;
    const start = bytesInUse();
    let peak = start;
    const watch = (bytes: number) => {
      peak = Math.max(peak, bytes);
    };
    const isChunked = lengthLine.endsWith("chunked");
    const head = rawPost(path, "", [lengthLine, key, CLOSE_LINE]);
    const { received, sentBytes } = await exchange(running.url, blanksAfter(head, { megabytes: 50, isChunked, watch }));
    expect(statusesOf(received)).toEqual([413]);
    expect(sentBytes).toBeGreaterThanOrEqual(head.length + 50 * MB);
    expect((peak - start) / MB).toBeLessThan(MOST_KEPT_MB + 5);
  });

  // Patience is shorter than the time limit of the request, which would cut it off in the end.
  it("is cut off when it does not end there", { timeout: 15_000 }, async () => {
    const head = rawPost("/v1/track", "", [`Content-Length: ${1000 * MB}`, KEY_LINE]);
    const { sentBytes } = await exchange(running.url, blanksAfter(head, { megabytes: 1000 }));
    expect(sentBytes).toBeLessThan(100 * MB);
  });
});

describe("a slow sender", () => {
  const limits = { headersTimeoutMs: 250, requestTimeoutMs: 500 };
  const request = rawPost("/v1/track", " ".repeat(2000), [KEY_LINE]).toString("latin1");
  const [head = "", body = ""] = request.split("\r\n\r\n");

  it.each([
    ["of a body", [`${head}\r\n\r\n`, ...body]],
    ["of headers", [...request]],
    ["of nothing", [...Array<string>(2000).fill("")]],
  ])("%s is cut off, and others are served meanwhile", async (_, pieces) => {
    const { url, taken } = await startTight(limits);
    let pulled = 0;
    function* counted() {
      for (const piece of pieces) {
        pulled += 1;
        yield piece;
      }
    }
    const slow = exchange(url, counted(), { pauseMs: 10 });
    expect((await post(`${url}/v1/track`, "while")).status).toBe(200);
    const { received } = await slow;
    expect(pulled).toBeLessThan(pieces.length);
    expect(statusesOf(received)).toEqual([408]);
    expect(taken).toEqual(["while"]);
  });
});

describe("a sender that hangs up", () => {
  it("before the end of its body leaves nothing behind, even if what came is a call", async () => {
    const body = JSON.stringify(goodCall());
    const partial = [
      rawPost("/v1/track", body, [KEY_LINE, `Content-Length: ${body.length + 1}`]),
      rawPost("/v1/track", `${body.length.toString(16)}\r\n${body}\r\n`, [KEY_LINE, "Transfer-Encoding: chunked"]),
    ];
    const work = () => Promise.all(partial.map((bytes) => exchange(running.url, [bytes], { lingerMs: 1 })));
    expect(await committedBy(work)).toBe(0);
  });

  it("gives back its share of what may be in memory", async () => {
    const { url, taken } = await startTight({ maxInFlightBytes: 40_000 });
    const half = await connected(url);
    half.write(rawPost("/v1/track", "x".repeat(30_000), ["Content-Length: 30001"]));
    const other = () => post(`${url}/v1/track`, "y".repeat(20_000));
    await vi.waitUntil(async () => (await other()).status === 503, PATIENCE);
    const refused = await other();
    expect(JSON.parse(refused.text)).toMatchObject({ success: false, code: "OVERLOADED" });
    expect(refused.headers.get("retry-after")).toBe("1");
    taken.length = 0;
    half.destroy();
    await vi.waitUntil(async () => (await other()).status === 200, PATIENCE);
    expect(taken).toEqual(["y".repeat(20_000)]);
  });
});

describe("pipelined requests", () => {
  it("are all answered, in their order", async () => {
    const work = async () => {
      const requests = [...Array.from({ length: 19 }, () => goodRequest()), goodRequest(CLOSE_LINE)];
      const { received } = await exchange(running.url, [Buffer.concat(requests)]);
      expect(statusesOf(received)).toEqual(requests.map(() => 200));
    };
    expect(await committedBy(work)).toBe(20);
  });

  it("do not suffer from those before them", async () => {
    const large = rawPost("/v1/track", " ".repeat(2 * MB), [KEY_LINE]);
    const nothing = rawPost("/nothing", "x".repeat(200_000));
    const unauthorized = rawPost("/api/status", "x".repeat(200_000), ["Authorization: Bearer wrong"]);
    const broken = rawPost("/v1/track", "{", [KEY_LINE]);
    const requests = [large, nothing, unauthorized, broken].flatMap((bad) => [bad, goodRequest()]);
    const work = async () => {
      const { received } = await exchange(running.url, [Buffer.concat([...requests, goodRequest(CLOSE_LINE)])]);
      expect(statusesOf(received)).toEqual([413, 200, 404, 200, 401, 200, 400, 200, 200]);
    };
    expect(await committedBy(work)).toBe(5);
  });

  it("are never found inside a body", async () => {
    const inner = goodRequest();
    const outer = [rawPost("/nothing", inner), rawPost("/api/status", inner), rawPost("/v1/track", inner, [KEY_LINE])];
    const work = async () => {
      const { received } = await exchange(running.url, [Buffer.concat([...outer, goodRequest(CLOSE_LINE)])]);
      expect(statusesOf(received)).toEqual([404, 401, 400, 200]);
    };
    expect(await committedBy(work)).toBe(1);
  });

  it("may wait for 100 Continue", async () => {
    const { received } = await exchange(running.url, [goodRequest("Expect: 100-continue", CLOSE_LINE)]);
    expect(statusesOf(received)).toEqual([100, 200]);
  });
});

describe("a length that is wrong", () => {
  it.each([
    "Content-Length: abc",
    "Content-Length: -1",
    "Content-Length: 1e3",
    "Content-Length: 0x10",
    "Content-Length: 99999999999999999999999",
    "Content-Length: 10\r\nContent-Length: 11",
    "Content-Length: 10\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: gzip",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: chunked",
  ])("is answered 400 and nothing is stored: %s", async (line) => {
    const work = async () => {
      const request = rawPost("/v1/track", JSON.stringify(goodCall()), [KEY_LINE, line]);
      const { received } = await exchange(running.url, [request], { lingerMs: 100 });
      expect(statusesOf(received)).toEqual([400]);
    };
    expect(await committedBy(work)).toBe(0);
  });

  it("that is too short cuts the call, and the rest is no request", async () => {
    const work = async () => {
      const request = rawPost("/v1/track", JSON.stringify(goodCall()), [KEY_LINE, "Content-Length: 5"]);
      const { received } = await exchange(running.url, [request]);
      expect(new Set(statusesOf(received))).toEqual(new Set([400]));
    };
    expect(await committedBy(work)).toBe(0);
  });
});

/** A server with limits of its own, whose doors keep the bodies. */
async function startTight(limits: Partial<ServerLimits>) {
  const taken: string[] = [];
  const take = async ({ body }: { readonly body: Uint8Array }) => taken.push(Buffer.from(body).toString());
  const doors: Doors = {
    webhook: (_source, request) => take(request),
    tracking: take,
    capture: () => Promise.resolve([]),
    metrics: () => Promise.resolve({ contentType: "text/plain", body: "" }),
    ready: () => Promise.resolve([]),
  };
  const quiet = () => undefined;
  const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const { operations } = running;
  const server = await startServer(
    { doors, operations, adminToken: "token", version: "test", logger, clock: systemClock, limits },
    { host: "127.0.0.1", port: 0 },
  );
  onTestFinished(() => server.close(0));
  return { url: server.url, taken };
}

async function connected(url: string): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(url).port) });
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}
