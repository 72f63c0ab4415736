import { afterEach, beforeEach, expect, it } from "vitest";
import * as z from "zod";
import { createBudget } from "../../src/core/budget.ts";
import { answeredAt, judgeStatus, readAnswer } from "../../src/platform/api-answer.ts";
import { type ApiClient, type ApiClientOptions, createApiClient } from "../../src/platform/api-client.ts";
import { createPassingClock, type PassingClock } from "../fakes/clock.ts";
import { type ApiRequest, type LoopbackApi, startLoopbackApi } from "../fakes/loopback-api.ts";

const never = new AbortController().signal;

let clock: PassingClock;
let api: LoopbackApi;
let asked: ApiRequest[];
let clients: ApiClient[];

beforeEach(async () => {
  clock = createPassingClock();
  asked = [];
  clients = [];
  api = await startLoopbackApi((request) => {
    asked.push(request);
    return { body: { n: asked.length } };
  }, clock);
});
afterEach(async () => {
  for (const client of clients) await client.close();
  await api.close();
});

function open(options: Partial<ApiClientOptions> = {}) {
  const client = createApiClient({
    baseUrl: `${api.url}/base/`,
    peer: "Peer",
    headers: async () => ({ authorization: "Bearer t" }),
    judge: (answer, call) => judgeStatus(answer, call, { peer: "Peer", now: clock.now() }),
    clock,
    random: () => 0,
    ...options,
  });
  clients.push(client);
  const budget = createBudget({ perWindow: 1000, windowMs: 1000 }, clock);
  return (
    call: { path?: string; form?: Record<string, string>; body?: unknown; understands?: readonly number[] } = {},
  ) => client.ask({ method: call.form || call.body ? "POST" : "GET", path: "/x?y=1", budget, ...call }, never);
}

it("asks below the path of its base, and sends JSON or a form", async () => {
  const ask = open();
  await ask();
  await ask({ body: { a: 1 } });
  await ask({ form: { grant_type: "a b" } });
  expect(asked.map(({ path, text, headers }) => [path, headers["content-type"], text])).toEqual([
    ["/base/x", undefined, ""],
    ["/base/x", "application/json", '{"a":1}'],
    ["/base/x", "application/x-www-form-urlencoded", "grant_type=a+b"],
  ]);
  expect(asked[0]?.headers.authorization).toBe("Bearer t");
});

it("refuses an answer of which it may have the beginning only", async () => {
  const ask = open({ maxAnswerBytes: 8 });
  await ask();
  api.failNext({ body: "12345678" });
  await expect(ask()).rejects.toMatchObject({
    code: "SOURCE_UNAVAILABLE",
    message: expect.stringContaining("8 bytes"),
  });
});

it("gives answers whose status the caller reads itself", async () => {
  api.failNext({ status: 404 }, { status: 404 });
  expect(await open()({ understands: [404] })).toMatchObject({ status: 404 });
  await expect(open()()).rejects.toMatchObject({ code: "SOURCE_CHANGED" });
});

it.each([
  [429, "SOURCE_LIMITED"],
  [503, "SOURCE_UNAVAILABLE"],
])("gives up after too many %i as %s, and does not show the query", async (status, code) => {
  api.failNext(...Array.from({ length: 40 }, () => ({ status })));
  const failed = open({ patienceMs: 1000 })();
  await expect(failed).rejects.toMatchObject({ code });
  await expect(failed).rejects.not.toThrow("y=1");
});

it("takes the peer's clock where it says the time, and reads no other shape than the one asked for", () => {
  const date = "Sun, 01 Nov 2026 00:00:07 GMT";
  expect(answeredAt({ headers: { date } }, clock)).toBe(Date.UTC(2026, 10, 1, 0, 0, 7));
  expect(answeredAt({ headers: { date: "soon" } }, clock)).toBe(clock.now());
  const shape = z.object({ rows: z.array(z.object({ id: z.int() })) });
  expect(readAnswer({ body: '{"rows":[{"id":1}]}' }, shape, "Peer")).toEqual({ rows: [{ id: 1 }] });
  const read = (body: string) => () => readAnswer({ body }, shape, "Peer, GET /rows");
  expect(read('{"rows":[{"id":"secret"}]}')).toThrow(/Peer, GET \/rows answered not as it should: rows\.0\.id/);
  expect(read("<html>secret</html>")).toThrow(/no JSON/);
  expect(read("<html>secret</html>")).not.toThrow(/secret/);
});
