/** The doors for Segment over real sockets: what its clients and its webhooks send, and what they read back. */

import { createHmac } from "node:crypto";
import { cpSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type ConfigInput, createSecret } from "../../src/config.ts";
import type { KeptRejection } from "../../src/core/ledger.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { type Answer, basic, post, type Running, startRunning, WITH_KEY, WRITE_KEY } from "./running.ts";

const KB = 1024;
const SUCCESS = '{"success":true}';

let posthog: FakePosthog;
let running: Running;

beforeAll(async () => {
  posthog = await startFakePosthog();
  running = await startRunning(configFor(posthog.url));
});

afterAll(async () => {
  await running.remove();
  await posthog.close();
});

function configFor(host: string): ConfigInput {
  const secret = (value: string) => createSecret(value);
  return {
    sources: {
      main: {
        type: "segment",
        writeKeys: [WRITE_KEY],
        webhook: { secrets: [secret("s3cr3t"), secret("the one before")] },
      },
      second: { type: "segment", writeKeys: ["wk_second"], webhook: { bearer: secret("token-2") } },
      both: {
        type: "segment",
        writeKeys: ["wk_both"],
        webhook: { secrets: [secret("s3cr3t")], bearer: secret("token-3") },
      },
    },
    destinations: {
      engine: { type: "engine" },
      posthog: {
        type: "posthog",
        host,
        token: secret("phc_test"),
        messagesPerSecond: null,
        messagesPerDistinctIdPerSecond: null,
        claimGroupTypes: false,
      },
    },
  };
}

let calls = 0;

/** A user, and an id for its one call, that no other test has. */
function someone() {
  calls += 1;
  return { userId: `user-${calls}`, messageId: `call-${calls}` };
}

function sendTo(path: string, body: unknown, headers: Readonly<Record<string, string>> = WITH_KEY): Promise<Answer> {
  return post(`${running.url}${path}`, body, headers);
}

function codeOf({ text }: Answer): string {
  return JSON.parse(text).code;
}

/** The events PostHog has of this user, once all is delivered. */
async function eventsOf(userId: string) {
  await running.drained();
  return posthog.events().filter(({ distinctId }) => distinctId === userId);
}

async function rejectionOf(messageId: string): Promise<KeptRejection | undefined> {
  const rejections = await running.operations.listRejections({ limit: 10_000 });
  return rejections.find(({ recordId }) => recordId === messageId);
}

/** A track call that is `bytes` long as JSON, in ASCII. */
function callOf(bytes: number, fields: object): string {
  const text = JSON.stringify({ ...fields, event: "Filled", properties: { filler: "" } });
  return text.replace('"filler":""', `"filler":"${"x".repeat(bytes - text.length)}"`);
}

/** A batch that is exactly `bytes` long; its calls have less than 32 KB each. */
function batchOf(bytes: number, userId: string): string {
  const count = Math.ceil(bytes / (30 * KB));
  const size = Math.floor(bytes / count) - 20;
  const messages = Array.from({ length: count }, (_, index) =>
    callOf(size, { type: "track", userId, messageId: `${userId}/${index}` }),
  );
  const body = `{"batch":[${messages.join(",")}]}`;
  return body + " ".repeat(bytes - body.length);
}

describe("the tracking API", () => {
  it.each([
    ["track", "Song Played"],
    ["t", "Song Played"],
    ["identify", "$identify"],
    ["i", "$identify"],
    ["page", "$pageview"],
    ["p", "$pageview"],
    ["screen", "$screen"],
    ["s", "$screen"],
    ["alias", "$create_alias"],
    ["a", "$create_alias"],
  ])("takes a call on /v1/%s and delivers it as %s", async (path, event) => {
    const { userId, messageId } = someone();
    const call = { userId, messageId, event: "Song Played", previousId: "before", traits: { plan: "pro" } };
    const { status, text, headers } = await sendTo(`/v1/${path}`, call);
    expect([status, text]).toEqual([200, SUCCESS]);
    expect(headers.get("content-type")).toMatch(/^application\/json/);
    expect((await eventsOf(userId)).map((one) => one.event)).toEqual([event]);
  });

  it.each(["group", "g", "group/"])(
    "takes a group call on /v1/%s: the group is listed with its properties",
    async (path) => {
      const { userId, messageId } = someone();
      const { status, text } = await sendTo(`/v1/${path}`, {
        userId,
        messageId,
        groupId: `company of ${userId}`,
        traits: { name: "Initech", "total billed": 830 },
      });
      expect([status, text]).toEqual([200, SUCCESS]);
      await running.drained();
      const { groups } = await running.operations.groups({
        groupType: "company",
        limit: 10,
        offset: 0,
        search: `company of ${userId}`,
      });
      const properties = { group_key: `company of ${userId}`, name: "Initech", "total billed": 830 };
      expect(groups.map((group) => group.properties)).toEqual([properties]);
      expect(posthog.groups.get(`company\0company of ${userId}`)).toEqual(properties);
    },
  );

  it.each(["batch", "b", "import", "batch/"])(
    "takes a batch on /v1/%s, with its context for all calls",
    async (path) => {
      const { userId } = someone();
      const batch = ["First", "Second"].map((event) => ({
        type: "track",
        event,
        userId,
        messageId: `${userId}/${event}`,
      }));
      const { status, text } = await sendTo(`/v1/${path}`, { batch, context: { ip: "8.8.8.8" } });
      expect([status, text]).toEqual([200, SUCCESS]);
      const events = await eventsOf(userId);
      expect(events.map(({ event, properties }) => [event, properties.$ip])).toEqual([
        ["First", "8.8.8.8"],
        ["Second", "8.8.8.8"],
      ]);
    },
  );

  it.each<[string, Record<string, string>, object]>([
    ["Basic with a colon", basic("wk_second:"), {}],
    ["Basic without a colon", basic("wk_second"), {}],
    ["Basic with a password", basic("wk_second:anything"), {}],
    ["a lower-case scheme", { authorization: basic("wk_second:").authorization.replace("Basic", "basic") }, {}],
    ["writeKey in the body", {}, { writeKey: "wk_second" }],
    ["a Bearer token", { authorization: "Bearer wk_second" }, {}],
    [
      "a foreign Bearer token and writeKey in the body",
      { authorization: "Bearer eyJ0eXAi" },
      { writeKey: "wk_second" },
    ],
  ])("knows the source by its write key: %s", async (_, headers, fields) => {
    const { userId, messageId } = someone();
    const answer = await sendTo("/v1/track", { userId, messageId, ...fields }, headers);
    expect(answer.status).toBe(200);
    const rejection = await rejectionOf(messageId);
    expect(rejection).toMatchObject({ source: "second", reason: "missing_event" });
    expect(JSON.stringify(rejection?.payload)).not.toContain("wk_second");
  });

  it.each<[string, Record<string, string>, object]>([
    ["no key", {}, {}],
    ["a wrong Basic key", basic("wk_wrong:"), {}],
    ["a wrong key in the body", {}, { writeKey: "wk_wrong" }],
    ["a wrong Bearer token", { authorization: "Bearer wk_wrong" }, {}],
    ["Basic that is not base64", { authorization: "Basic ::::" }, {}],
    ["the key as the password", basic(`:${WRITE_KEY}`), {}],
    ["a key that is a number", {}, { writeKey: 5 }],
    ["a key that every object has", {}, { writeKey: "constructor" }],
  ])("refuses %s with 401 and stores nothing", async (_, headers, fields) => {
    const { userId, messageId } = someone();
    const before = await running.operations.status();
    const answer = await sendTo("/v1/track", { userId, messageId, event: "X", ...fields }, headers);
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toMatchObject({ success: false, code: "UNAUTHORIZED", message: /write key/ });
    expect((await running.operations.status()).committed).toBe(before.committed);
  });

  it.each([
    ["/v1/track", (call: object) => call],
    ["/v1/batch", (call: object) => ({ batch: [{ type: "track", ...call }] })],
  ])("unpacks gzip on %s", async (path, wrap) => {
    const { userId, messageId } = someone();
    const body = gzipSync(JSON.stringify(wrap({ userId, messageId, event: "Zipped" })));
    expect((await sendTo(path, body, { ...WITH_KEY, "content-encoding": "gzip" })).status).toBe(200);
    expect((await eventsOf(userId)).map(({ event }) => event)).toEqual(["Zipped"]);
  });

  it("refuses gzip that is none, that is cut short, and other encodings", async () => {
    const packed = gzipSync(JSON.stringify({ ...someone(), event: "X" }));
    const refused = [
      await sendTo("/v1/track", "{}", { ...WITH_KEY, "content-encoding": "gzip" }),
      await sendTo("/v1/track", packed.subarray(0, 30), { ...WITH_KEY, "content-encoding": "gzip" }),
      await sendTo("/v1/track", packed, { ...WITH_KEY, "content-encoding": "br" }),
    ];
    expect(refused.map((answer) => [answer.status, codeOf(answer)])).toEqual(refused.map(() => [400, "INPUT_INVALID"]));
  });

  it("takes a call of 32 KB and refuses a larger one with 413", async () => {
    const { userId, messageId } = someone();
    expect((await sendTo("/v1/track", callOf(32 * KB, { userId, messageId }))).status).toBe(200);
    const refused = await sendTo("/v1/track", callOf(32 * KB + 1, { userId, messageId: "too large" }));
    expect([refused.status, codeOf(refused)]).toEqual([413, "INPUT_TOO_LARGE"]);
    expect((await eventsOf(userId)).map(({ event }) => event)).toEqual(["Filled"]);
  });

  it("takes a batch of 500 KB and refuses a larger one with 413, packed or not", async () => {
    const { userId } = someone();
    expect((await sendTo("/v1/batch", batchOf(500 * KB, userId))).status).toBe(200);
    const other = batchOf(500 * KB + 1, someone().userId);
    const refused = [
      await sendTo("/v1/batch", other),
      await sendTo("/v1/batch", gzipSync(other), { ...WITH_KEY, "content-encoding": "gzip" }),
      await sendTo("/v1/batch", gzipSync(batchOf(3000 * KB, "u")), { ...WITH_KEY, "content-encoding": "gzip" }),
    ];
    expect(refused.map((answer) => [answer.status, codeOf(answer)])).toEqual(
      refused.map(() => [413, "INPUT_TOO_LARGE"]),
    );
    expect(await eventsOf(userId)).toHaveLength(17);
  });

  it("refuses a call of more than 32 KB in a batch, not the batch", async () => {
    const [small, large] = [someone(), someone()];
    const body = `{"batch":[${callOf(32 * KB + 1, { type: "track", ...large })},${callOf(200, { type: "track", ...small })}]}`;
    expect((await sendTo("/v1/batch", body)).text).toBe(SUCCESS);
    expect(await eventsOf(small.userId)).toHaveLength(1);
    expect(await eventsOf(large.userId)).toEqual([]);
    expect(await rejectionOf(large.messageId)).toMatchObject({ reason: "call_too_large" });
  });

  it("answers 200 to a batch of more than 2,500 calls and keeps it as one rejection", async () => {
    const before = await running.metric('prickle_rejected_total{source="main",reason="batch_too_long"}');
    const answers = [];
    for (const length of [2501, 2500]) answers.push(await sendTo("/v1/batch", { batch: Array(length).fill(0) }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await running.metric('prickle_rejected_total{source="main",reason="batch_too_long"}')).toBe(before + 1);
  });

  it("keeps what is invalid in a batch with its reason and delivers its neighbours", async () => {
    const { userId } = someone();
    const good = { type: "track", event: "Good", userId };
    const bad = {
      missing_event: { type: "track", userId },
      missing_user: { type: "track", event: "Bad" },
      missing_group_id: { type: "group", userId },
      unsupported_type: { type: "purchase", userId },
      delete_not_supported: { type: "delete", userId },
      not_a_call: { event: "Bad", userId },
      invalid_field: { type: "track", event: "Bad", userId, properties: "none" },
      illegal_distinct_id: { type: "track", event: "Bad", userId: "null" },
      undeclared_group_type: { type: "group", userId, groupId: "g", traits: { groupType: "planet" } },
      invalid_group_key: { type: "group", userId, groupId: "g".repeat(401) },
      invalid_event_name: { type: "track", event: "B".repeat(201), userId },
    };
    const reasons = Object.keys(bad);
    const batch = Object.entries(bad).flatMap(([reason, call]) => [
      { ...call, messageId: `${userId}/${reason}` },
      { ...good, messageId: `${userId}/beside ${reason}` },
    ]);
    expect(await sendTo("/v1/batch", { batch: [...batch, 5, null, "x", []] })).toMatchObject({
      status: 200,
      text: SUCCESS,
    });
    expect(await eventsOf(userId)).toHaveLength(reasons.length);
    const kept = await Promise.all(reasons.map((reason) => rejectionOf(`${userId}/${reason}`)));
    expect(kept.map((rejection) => rejection?.reason)).toEqual(reasons);
  });

  it("commits a call once that comes again, and answers 200 both times", async () => {
    const { userId, messageId } = someone();
    const call = { userId, messageId, event: "Once", timestamp: "2026-11-23T11:00:00.000Z" };
    const answers = [
      await sendTo("/v1/track", call),
      await sendTo("/v1/batch", { batch: [{ type: "track", ...call }] }),
    ];
    expect(answers.map(({ text }) => text)).toEqual([SUCCESS, SUCCESS]);
    expect(await eventsOf(userId)).toHaveLength(1);
    expect(posthog.arrivals.filter((uuid, index, all) => all.indexOf(uuid) !== index)).toEqual([]);
  });

  it.each([
    ["what is not JSON", "/v1/track", "secret=1&b=2"],
    ["what ends too early", "/v1/track", '{"event":"secret"'],
    ["nothing", "/v1/track", ""],
    ["a list", "/v1/track", "[]"],
    ["a batch without calls", "/v1/batch", '{"calls":"secret"}'],
    ["a batch that is a list", "/v1/batch", '[{"event":"secret"}]'],
  ])("refuses %s with 400 and does not repeat it", async (_, path, body) => {
    const answer = await sendTo(path, body);
    expect([answer.status, codeOf(answer)]).toEqual([400, "INPUT_INVALID"]);
    expect(answer.text).not.toContain("secret");
  });

  it.each(["/v1/", "/v1/nothing", "/v1/track/more", "/v2/track", "/v1/__proto__", "/v1/constructor"])(
    "knows no door %s",
    async (path) => {
      const answer = await sendTo(path, { ...someone(), event: "X" });
      expect([answer.status, codeOf(answer)]).toEqual([404, "NOT_FOUND"]);
    },
  );

  it("takes what a browser sends as text/plain, and tells the browser that it may", async () => {
    const { userId, messageId } = someone();
    const origin = "https://app.example.com";
    const call = { userId, messageId, event: "Beacon", writeKey: WRITE_KEY };
    const answer = await sendTo("/v1/t", JSON.stringify(call), { "content-type": "text/plain", origin });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
    expect((await eventsOf(userId)).map(({ event }) => event)).toEqual(["Beacon"]);
    const preflight = await fetch(`${running.url}/v1/t`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-headers": "x-custom" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toBe("x-custom");
    expect(preflight.headers.get("access-control-allow-origin")).toBe(origin);
  });
});

describe("the webhook", () => {
  const sign = (message: string, secret = "s3cr3t") => createHmac("sha1", secret).update(message).digest("hex");
  const track = (call: object) => ({ type: "track", event: "Hooked", ...call });

  it("computes the signature of Segment's example", () => {
    const body = '{"type":"group","userId":"u1","groupId":"g1","traits":{"name":"Initech"}}';
    expect(sign(body)).toBe("76ecfc38dfb0a0a9504a4571e191b01521998ff0");
  });

  it("takes a single call signed over its raw bytes, which no other JSON text of it has", async () => {
    const { userId, messageId } = someone();
    const raw = `{ "2":1.0, "1":"\\u00fc", "type":"track","event":"Hooked","userId":"${userId}","messageId":"${messageId}"}`;
    const rewritten = await sendTo("/webhooks/main", raw, { "x-signature": sign(JSON.stringify(JSON.parse(raw))) });
    expect([rewritten.status, codeOf(rewritten)]).toEqual([401, "UNAUTHORIZED"]);
    expect(await sendTo("/webhooks/main", raw, { "x-signature": sign(raw) })).toMatchObject({
      status: 200,
      text: SUCCESS,
    });
    expect(await eventsOf(userId)).toHaveLength(1);
  });

  /** What is sent and what of it is signed, for calls as JSON texts. */
  const forms: Record<string, (first: string, second: string) => readonly [string, string]> = {
    "an array, signed as a whole": (first, second) => [`[${first},${second}]`, `[${first},${second}]`],
    "an array, its first call signed": (first, second) => [`[ ${first} ,${second}]`, first],
    "{json} calls, signed as a whole": (first, second) => {
      const body = `[{"json":${first}},{"json":${second}}]`;
      return [body, body];
    },
    "{json} calls, the first element signed": (first, second) => [
      `[{"json":${first}},{"json":${second}}]`,
      `{"json":${first}}`,
    ],
    "{json} calls, the first inner call signed": (first, second) => [`[{"json":${first}}, {"json":${second}}]`, first],
  };

  it.each(Object.entries(forms))("takes %s, with either secret", async (_, form) => {
    for (const secret of ["s3cr3t", "the one before"]) {
      const { userId } = someone();
      const [first, second] = [1, 2].map((n) => JSON.stringify(track({ userId, messageId: `${userId}/${n}` })));
      const [body, signed] = form(first ?? "", second ?? "");
      const answer = await sendTo("/webhooks/main", body, { "x-signature": sign(signed, secret) });
      expect([answer.status, answer.text]).toEqual([200, SUCCESS]);
      expect(await eventsOf(userId)).toHaveLength(2);
    }
  });

  it("refuses with 401 whatever is not signed, or signed otherwise, and stores nothing", async () => {
    const { userId } = someone();
    const first = JSON.stringify(track({ userId, messageId: `${userId}/1` }));
    const second = JSON.stringify(track({ userId, messageId: `${userId}/2` }));
    const batch = `[${first},${second}]`;
    const attempts: readonly (readonly [string, Record<string, string>])[] = [
      [first, {}],
      [first, { "x-signature": "" }],
      [first, { "x-signature": sign(first, "another secret") }],
      [first, { "x-signature": sign(first).slice(0, 39) }],
      [first, { "x-signature": `${sign(first)}, ${sign(first)}` }],
      [first, { "x-signature": `sha1=${sign(first)}` }],
      [first, { "x-signature": sign(second) }],
      [batch, { "x-signature": sign(second) }],
      [`[{"json":${first},"json":${second}}]`, { "x-signature": sign(first) }],
      [first, { authorization: "Bearer s3cr3t" }],
    ];
    const before = (await running.operations.status()).committed;
    const answers = await Promise.all(attempts.map(([body, headers]) => sendTo("/webhooks/main", body, headers)));
    expect(answers.map((answer) => [answer.status, codeOf(answer)])).toEqual(attempts.map(() => [401, "UNAUTHORIZED"]));
    expect((await running.operations.status()).committed).toBe(before);
  });

  it("asks for the bearer token where one is set, and for both where both are", async () => {
    const { userId } = someone();
    const ask = (source: string, headers: Record<string, string>) => {
      const body = JSON.stringify(track({ userId, messageId: `${source}/${JSON.stringify(headers)}` }));
      const signature = { "x-signature": sign(body) };
      const signed = "signed" in headers ? signature : {};
      return sendTo(`/webhooks/${source}`, body, { ...signed, ...headers }).then(({ status }) => status);
    };
    const token = { authorization: "Bearer token-2" };
    const other = { authorization: "Bearer token-3" };
    expect(await Promise.all([ask("second", {}), ask("second", other), ask("second", token)])).toEqual([401, 401, 200]);
    expect(
      await Promise.all([
        ask("both", { signed: "yes" }),
        ask("both", other),
        ask("both", { ...token, signed: "yes" }),
        ask("both", { ...other, signed: "yes" }),
      ]),
    ).toEqual([401, 401, 401, 200]);
    expect(await eventsOf(userId)).toHaveLength(2);
  });

  it("keeps what is no call as rejections of its source and delivers the rest", async () => {
    const { userId } = someone();
    const body = JSON.stringify([
      { json: track({ userId, messageId: `${userId}/1` }) },
      { json: { type: "track", userId, messageId: `${userId}/2` } },
      { body: "a=1&b=2" },
      { type: "delete", userId, messageId: `${userId}/4` },
      7,
    ]);
    const answer = await sendTo("/webhooks/main", body, { "x-signature": sign(body) });
    expect([answer.status, answer.text]).toEqual([200, SUCCESS]);
    expect(await eventsOf(userId)).toHaveLength(1);
    const newest = await running.operations.listRejections({ limit: 4 });
    expect(newest.map(({ source, reason }) => [source, reason])).toEqual([
      ["main", "not_a_call"],
      ["main", "delete_not_supported"],
      ["main", "not_a_call"],
      ["main", "missing_event"],
    ]);
  });

  it("takes what the tracking API would not: a call above 32 KB and a batch of 4,000", async () => {
    const [large, many] = [someone(), someone()];
    const bodies = [
      callOf(100 * KB, { type: "track", ...large }),
      JSON.stringify(
        Array.from({ length: 4000 }, (_, n) => track({ userId: many.userId, messageId: `${many.userId}/${n}` })),
      ),
    ];
    for (const body of bodies) {
      const answer = await sendTo("/webhooks/main", gzipSync(body), {
        "x-signature": sign(body),
        "content-encoding": "gzip",
      });
      expect(answer.text).toBe(SUCCESS);
    }
    expect(await eventsOf(large.userId)).toHaveLength(1);
    expect(await eventsOf(many.userId)).toHaveLength(4000);
  });

  it.each(["POST", "PUT", "PATCH"])("takes %s, as the customer may choose in Segment", async (method) => {
    const { userId, messageId } = someone();
    const body = JSON.stringify(track({ userId, messageId }));
    const headers = { "x-signature": sign(body) };
    const answer = await fetch(`${running.url}/webhooks/main`, { method, headers, body });
    expect([answer.status, await answer.text()]).toEqual([200, SUCCESS]);
    expect(await eventsOf(userId)).toHaveLength(1);
  });

  it("knows no other sources, and tells those there are", async () => {
    const answer = await sendTo("/webhooks/nobody", "{}");
    expect([answer.status, codeOf(answer)]).toEqual([404, "NOT_FOUND"]);
    expect(answer.text).toContain("main");
  });
});

describe("an answer", () => {
  it("comes when the calls are on disk: a copy of the files made at that moment has them all", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "prickle-copy-"));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const first = await startRunning({}, { deliver: false });
    onTestFinished(() => first.remove());
    // So many that writing them takes far longer than answering.
    const batch = Array.from({ length: 2500 }, (_, n) => ({ type: "group", userId: "u1", groupId: `company ${n}` }));
    expect((await post(`${first.url}/v1/batch`, { batch }, WITH_KEY)).status).toBe(200);
    cpSync(first.dataDir, dataDir, { recursive: true, filter: (path) => !path.endsWith("-shm") });

    const second = await startRunning({}, { dataDir });
    onTestFinished(() => second.stop());
    await second.drained();
    expect(await second.operations.groupTypes()).toMatchObject([{ groupType: "company", groups: 2500 }, { groups: 0 }]);
  });
});
