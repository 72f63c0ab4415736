import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createBudget } from "../../src/core/budget.ts";
import { PrickleError } from "../../src/core/errors.ts";
import { judgeStatus } from "../../src/platform/api-answer.ts";
import { type ApiClient, type ApiClientOptions, createApiClient } from "../../src/platform/api-client.ts";
import { createManualClock, type ManualClock } from "../fakes/clock.ts";

const NEVER = new AbortController().signal;

type Answer = (response: ServerResponse, request: IncomingMessage, body: string) => void;

let clock: ManualClock;
let answers: Answer[];
let asked: { readonly method: string; readonly url: string; readonly authorization: string; readonly body: string }[];
let clients: ApiClient[];
let baseUrl: string;
let close: () => void;

beforeEach(async () => {
  clock = createManualClock();
  answers = [];
  asked = [];
  clients = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method = "", url = "", headers } = request;
    asked.push({ method, url, authorization: headers.authorization ?? "", body });
    (answers.shift() ?? ok)(response, request, body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/base/`;
  close = () => {
    server.closeAllConnections();
    server.close();
  };
});
afterEach(async () => {
  for (const client of clients) await client.close();
  close();
});

const ok: Answer = (response) => response.end('{"fine":true}');
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(code, headers).end("no");

function rig(more: Partial<ApiClientOptions> = {}) {
  const client = createApiClient({
    baseUrl,
    peer: "Acme",
    headers: async () => ({ authorization: "Bearer one" }),
    judge: (answer, call) => judgeStatus(answer, call, { peer: "Acme", now: clock.now() }),
    clock,
    random: () => 0.5,
    ...more,
  });
  clients.push(client);
  const budget = createBudget({ perWindow: 100, windowMs: 1000 }, clock);
  const get = (path = "/rows?x=1", signal = NEVER) => client.ask({ method: "GET", path, budget }, signal);
  return { client, budget, get };
}

/** Lets time pass, in steps, until it is settled. */
async function passing<Result>(promise: Promise<Result>): Promise<Result> {
  let isOver = false;
  const over = promise.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  for (let steps = 0; !isOver && steps < 5_000; steps++) {
    await clock.advance(250);
    await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 1))]);
  }
  return promise;
}

it("sends credentials, path and JSON or a form, and gives the answer", async () => {
  const { client, budget, get } = rig();
  expect((await get()).body).toBe('{"fine":true}');
  await client.ask({ method: "POST", path: "/search", body: { a: 1 }, budget }, NEVER);
  await client.ask({ method: "POST", path: "/token", form: { grant_type: "x y" }, budget }, NEVER);
  expect(asked).toEqual([
    { method: "GET", url: "/base/rows?x=1", authorization: "Bearer one", body: "" },
    { method: "POST", url: "/base/search", authorization: "Bearer one", body: '{"a":1}' },
    { method: "POST", url: "/base/token", authorization: "Bearer one", body: "grant_type=x+y" },
  ]);
  expect(client.requests()).toBe(3);
});

it.each([[500], [503], [408], [423]])(
  "asks again after %i, later each time, and counts every request",
  async (code) => {
    answers.push(status(code), status(code));
    const { client, get } = rig();
    const before = clock.now();
    expect((await passing(get())).status).toBe(200);
    expect(client.requests()).toBe(3);
    expect(clock.now()).toBeGreaterThan(before);
  },
);

it("asks again when there is no answer, or half of one", async () => {
  answers.push(
    (response) => response.destroy(),
    (response) => {
      response.writeHead(200, { "content-length": "100" }).write("{");
      setImmediate(() => response.destroy());
    },
  );
  expect((await passing(rig().get())).body).toBe('{"fine":true}');
});

it("waits as long as the peer asks, and slows down where there were too many", async () => {
  answers.push(status(429, { "retry-after": "7" }));
  const { get } = rig();
  const before = clock.now();
  await passing(get());
  expect(clock.now() - before).toBeGreaterThanOrEqual(7_000);
});

it("gives up after its patience, as limited when there were too many, and says when to come again", async () => {
  answers.push(...Array.from({ length: 100 }, () => status(503)));
  await expect(passing(rig({ patienceMs: 10_000 }).get())).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
  answers.splice(0, 100, status(429, { "retry-after": "600" }));
  await expect(passing(rig({ patienceMs: 10_000 }).get())).rejects.toMatchObject({
    code: "SOURCE_LIMITED",
    retryAfterMs: 600_000,
  });
});

it("gets other credentials once when these are refused, and fails when the others are too", async () => {
  let token = "old";
  const renewing = {
    headers: async () => ({ authorization: `Bearer ${token}` }),
    renew: async () => {
      token = "new";
      return true;
    },
  };
  answers.push(status(401));
  expect((await rig(renewing).get()).status).toBe(200);
  expect(asked.map(({ authorization }) => authorization)).toEqual(["Bearer old", "Bearer new"]);
  answers.push(status(401), status(401));
  await expect(rig(renewing).get()).rejects.toMatchObject({ code: "SOURCE_REFUSED" });
  answers.push(status(401));
  await expect(rig().get()).rejects.toMatchObject({ code: "SOURCE_REFUSED" });
});

it("does not ask again what will not change", async () => {
  answers.push(status(404), status(403));
  const { client, get } = rig();
  const where = { code: "SOURCE_CHANGED", message: "Acme answered 404 to GET /rows." };
  await expect(get()).rejects.toMatchObject(where);
  await expect(get()).rejects.toBeInstanceOf(PrickleError);
  expect(client.requests()).toBe(2);
});

it("refuses an answer that is larger than it reads, instead of half of it", async () => {
  answers.push((response) => response.end("x".repeat(2_000)));
  await expect(rig({ maxAnswerBytes: 1_000 }).get()).rejects.toMatchObject({
    message: expect.stringContaining("1000 bytes or more"),
  });
});

it("stops waiting, for its budget, an answer or the next try, when it is told to", async () => {
  const stop = new AbortController();
  const { get, budget } = rig();
  answers.push(status(503));
  const waiting = get("/rows", stop.signal);
  budget.pauseUntil(clock.now() + 1_000_000);
  const behind = get("/rows", stop.signal);
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ code: "STOPPING" });
  await expect(behind).rejects.toMatchObject({ code: "STOPPING" });
});
