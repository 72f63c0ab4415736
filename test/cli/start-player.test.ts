import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { playSample, waitUntilDelivered } from "../../src/cli/sample-player.ts";
import { planSample } from "../../src/cli/sample-shipment.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { LedgerStatus } from "../../src/core/ledger.ts";
import { createManualClock } from "../fakes/clock.ts";
import { NO_COUNTS } from "../fakes/ledger-status.ts";

const sample = planSample(feedOf(60), { source: "segment", writeKey: "wk", webhookSecret: "s" });
const instantClock: Clock = { now: () => 0, sleep: async () => undefined };
const signal = new AbortController().signal;

describe("playing the sample", () => {
  let server: Server;
  let requests: { readonly path: string; readonly calls: number }[];
  let answer: (request: number) => { status: number; headers?: Record<string, string> };

  beforeEach(async () => {
    requests = [];
    answer = () => ({ status: 200 });
    server = createServer(async (request, response) => {
      const { status, headers } = answer(requests.length);
      requests.push({ path: request.url ?? "", calls: await callsIn(request) });
      response.writeHead(status, headers).end('{"success":true}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });

  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const play = (clock = instantClock, onProgress: (calls: number) => void = () => undefined) => {
    const { port } = server.address() as AddressInfo;
    return playSample(sample, { url: `http://127.0.0.1:${port}`, clock, signal, onProgress });
  };

  it("sends every call once and tells how far it is", async () => {
    const progress: number[] = [];
    const { requests: made, retries } = await play(instantClock, (calls) => progress.push(calls));
    expect({ made, retries }).toEqual({ made: 3, retries: 0 });
    expect(requests.reduce((sum, { calls }) => sum + calls, 0)).toBe(60);
    expect(progress.at(-1)).toBe(60);
  });

  it("sends a request again after the seconds it was asked to wait", async () => {
    answer = (request) => (request === 0 ? { status: 503, headers: { "retry-after": "7" } } : { status: 200 });
    const waits: number[] = [];
    const clock = { now: () => 0, sleep: async (ms: number) => void waits.push(ms) };
    const { retries } = await play(clock);
    expect({ retries, waits, requests: requests.length }).toEqual({ retries: 1, waits: [7000], requests: 4 });
  });

  it("gives up with the answer's words when a request is refused", async () => {
    answer = () => ({ status: 401 });
    await expect(play()).rejects.toThrow(/answered 401: \{"success":true\}/);
  });

  it("gives up when it is asked to wait again and again", async () => {
    answer = () => ({ status: 503 });
    await expect(play()).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
  });
});

describe("waiting for delivery", () => {
  it("resolves with the status once nothing waits", async () => {
    const depths = [20, 5, 0];
    const seen: number[] = [];
    const operations = { status: async () => statusWith(depths.shift() ?? 0) };
    const onProgress = (depth: number) => seen.push(depth);
    const { depth } = await waitUntilDelivered(operations, { clock: instantClock, signal, onProgress });
    expect({ depth, seen }).toEqual({ depth: 0, seen: [20, 5] });
  });

  it("says what the last failure was when nothing moves for a minute", async () => {
    const clock = createManualClock();
    const waiting = waitUntilDelivered(
      { status: async () => statusWith(9, "the disk is gone") },
      { clock: { now: clock.now, sleep: () => clock.advance(10_000) }, signal, onProgress: () => undefined },
    );
    await expect(waiting).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      hint: "The last failure was: the disk is gone",
    });
  });
});

/** Half of it from browsers. */
function feedOf(count: number): string {
  const lines = Array.from({ length: count }, (_, at) =>
    JSON.stringify({ type: "track", event: "E", userId: `u${at}`, channel: at % 2 ? "server" : "browser" }),
  );
  return lines.join("\n");
}

async function callsIn(request: IncomingMessage): Promise<number> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body: unknown[] | { batch: unknown[] } = JSON.parse(Buffer.concat(chunks).toString());
  return Array.isArray(body) ? body.length : body.batch.length;
}

function statusWith(depth: number, lastFailure: string | null = null): LedgerStatus {
  const waitingLanes = depth > 0 ? [{ lane: 1, service: "live" as const, depth, attempts: 1, lastFailure }] : [];
  const services = {
    live: { depth, oldestCommittedAt: null },
    historical: { depth: 0, oldestCommittedAt: null },
  };
  const destination = { oldestCommittedAt: null, services, nextDueAt: null, delivered: 0, retried: 0, dead: 0 };
  return {
    lanes: 4,
    destinations: [{ name: "engine", depth, waitingLanes, ...destination }],
    depth,
    ...NO_COUNTS,
  };
}
