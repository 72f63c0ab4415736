/** What `doctor` says of PostHog projects, and of what stands in for them: nothing of it may appear in the project. */

import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Check } from "../../src/core/checkup.ts";
import { type ExamineOptions, examineDestination } from "../../src/destinations/posthog/doctor/examine.ts";
import { checkHost } from "../../src/destinations/posthog/doctor/host.ts";
import { openProjectApi } from "../../src/destinations/posthog/private-api/client.ts";
import { uuidOf } from "../fakes/outbox.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";

const KEY = "phx_reader";
const TOKEN = "phc_test";
const DECLARED = [{ source: "app", file: "app.yaml", groupTypes: ["company", "project"] }];

let posthog: FakePosthog;

beforeEach(async () => {
  posthog = await startFakePosthog();
  posthog.api.scopesOf.set(KEY, ["group:read", "project:read"]);
});
afterEach(() => posthog.close());

interface Asked extends Partial<Omit<ExamineOptions, "api">> {
  /** Null: there is none. */
  readonly key?: string | null;
}

async function examine({ key = KEY, ...options }: Asked = {}): Promise<readonly Check[]> {
  const now = options.now ?? Date.now;
  const project = { host: posthog.url, projectId: 7, version: "0", now };
  const api = key === null ? null : openProjectApi({ ...project, personalApiKey: key });
  const asked = { host: posthog.url, token: TOKEN, version: "0", declared: DECLARED, newRequestId: () => uuidOf(1) };
  try {
    return await examineDestination({ ...asked, protocol: "auto", timeoutMs: 2000, ...options, now, api });
  } finally {
    await api?.close();
  }
}

async function check(name: string, options: Asked = {}): Promise<Check | undefined> {
  return (await examine(options)).find((one) => one.name === name);
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // A server listening on TCP has one.
}

const answering = (status: number, body: string, headers: Readonly<Record<string, string>> = {}) =>
  serve((request, response) => {
    request.resume();
    response.writeHead(status, headers).end(body);
  });

it("finds a project that is ready in order, without an event in it", async () => {
  posthog.takeSlot("company");
  posthog.api.settings = { ...posthog.api.settings, drop_events_older_than: null, person_processing_opt_out: false };
  posthog.api.groupTypesSince = "2014-01-01T00:00:00Z";
  const checks = await examine();
  expect(checks.map(({ name, verdict }) => [name, verdict])).toEqual([
    ["token", "ok"],
    ["host", "ok"],
    ["protocol", "ok"],
    ["clock", "ok"],
    ["project", "ok"],
    ["old events", "ok"],
    ["persons", "ok"],
    ["group types", "ok"],
    ["group types since", "ok"],
  ]);
  expect(checks.find(({ name }) => name === "group types")?.found).toBe("0 company, 1 project (to come); 3 are free.");
  expect(posthog.events()).toEqual([]);
  expect(posthog.groupTypes).toEqual(["company"]);
  expect(JSON.stringify(checks)).not.toMatch(/phx_reader|phc_test/);
});

describe("of the keys", () => {
  it.each([
    ["phx_personal", "problem", "personal API key"],
    ["", "problem", "empty"],
    [`phc_${"x".repeat(61)}`, "problem", "65 characters"],
    ["phc_zürich", "problem", "ASCII"],
    ["secret", "warning", "does not begin with phc_"],
    [" phc_fine ", "ok", "form"],
  ])("says of the token %j: %s", async (token, verdict, found) => {
    expect(await check("token", { token })).toMatchObject({ verdict, found: expect.stringContaining(found) });
  });

  it("says where a token stands for a personal key, and that without one the project is left out", async () => {
    expect(await check("personal key", { key: "phc_token" })).toMatchObject({
      verdict: "problem",
      found: expect.stringContaining("project token"),
    });
    const checks = await examine({ key: null });
    expect(checks.filter(({ verdict }) => verdict === "left out").map(({ name }) => name)).toEqual([
      "personal key",
      "project",
      "old events",
      "persons",
      "group types",
      "group types since",
    ]);
    expect(posthog.api.requests).toEqual([]);
  });

  it("says that PostHog refuses the token", async () => {
    expect(await check("protocol", { token: "phx_personal" })).toMatchObject({
      verdict: "problem",
      found: expect.stringContaining("401"),
    });
  });

  it("says that the key is unknown, or lacks a scope, and goes on with the rest", async () => {
    expect(await check("project", { key: "phx_stranger" })).toMatchObject({ verdict: "problem" });
    posthog.api.scopesOf.set(KEY, ["group:read"]);
    const checks = await examine();
    expect(checks.find(({ name }) => name === "project")).toMatchObject({
      verdict: "left out",
      todo: expect.stringContaining("project:read"),
    });
    expect(checks.find(({ name }) => name === "group types")).toMatchObject({ verdict: "ok" });
  });
});

describe("of the host", () => {
  it("says that nobody is there, or nobody of that name", async () => {
    expect(await check("host", { host: "http://127.0.0.1:1", key: null })).toMatchObject({
      verdict: "problem",
      found: expect.stringContaining("ECONNREFUSED"),
    });
    const reason = "ENOTFOUND: getaddrinfo ENOTFOUND nowhere.invalid";
    const nobody = { v0: { kind: "unreached", reason }, v1: { kind: "unreached", reason } } as const;
    expect(checkHost("http://nowhere.invalid", nobody)).toMatchObject({ todo: "Is the name of the host right?" });
  });

  it("says that it does not answer in time", async () => {
    const host = await serve(() => undefined);
    expect(await check("host", { host, key: null, timeoutMs: 100 })).toMatchObject({
      verdict: "problem",
      todo: expect.stringContaining("firewall"),
    });
  });

  it.each([
    [200, "<html>Sign in</html>", {}, "web page"],
    [502, "<h1>Bad gateway</h1>", {}, "web page"],
    [407, "", {}, "proxy"],
    [302, "", { location: "https://elsewhere.example" }, "Name that host"],
    [404, "not found", {}, "the path in it"],
    [200, "OK", {}, "the path in it"],
  ])("tells what else answers: %s %j", async (status, body, headers, todo) => {
    const host = await answering(status, body, headers);
    const checks = await examine({ host, key: null });
    expect(checks.find(({ name }) => name === "host")).toMatchObject({
      verdict: "problem",
      found: expect.stringContaining(`${status}`),
      todo: expect.stringContaining(todo),
    });
    expect(checks.find(({ name }) => name === "protocol")).toMatchObject({ verdict: "left out" });
  });

  it("says that PostHog itself is not well", async () => {
    const host = await answering(503, "transient error, please retry");
    expect(await check("host", { host, key: null })).toMatchObject({
      verdict: "warning",
      found: expect.stringContaining("503"),
    });
  });

  it("knows the host of the app, of which events are not taken or only by grace", () => {
    const timed = { sentAt: 0, receivedAt: 0, serverAt: null, status: 404, text: "", location: null };
    const absent = { ...timed, kind: "absent" } as const;
    const there = { ...timed, kind: "there", status: 400 } as const;
    expect(checkHost("https://eu.posthog.com", { v0: absent, v1: absent })).toMatchObject({
      verdict: "problem",
      todo: "host: https://eu.i.posthog.com",
    });
    expect(checkHost("https://app.posthog.com/", { v0: there, v1: absent })).toMatchObject({
      verdict: "warning",
      todo: "host: https://us.i.posthog.com",
    });
    expect(checkHost("https://us.i.posthog.com", { v0: there, v1: absent })).toMatchObject({ verdict: "ok" });
  });

  it("says that it is slow", async () => {
    let time = 0;
    const now = () => {
      time += 2000;
      return time;
    };
    expect(await check("host", { key: null, now })).toMatchObject({ verdict: "ok" });
    const slower = () => {
      time += 4000;
      return time;
    };
    expect(await check("host", { key: null, now: slower })).toMatchObject({
      verdict: "warning",
      found: expect.stringContaining("4.0 s"),
    });
  });
});

describe("of the protocol", () => {
  const tag = (error: string) =>
    JSON.stringify({ error, error_description: "", error_uri: "https://posthog.com/docs/api" });

  /** A server with v1, or with nothing else. */
  const speaking = (protocols: readonly string[]) =>
    serve((request, response) => {
      request.resume();
      const asked = request.url?.startsWith("/i/v1/") ? "v1" : "v0";
      if (!protocols.includes(asked)) response.writeHead(404).end("not found");
      else response.writeHead(400).end(asked === "v1" ? tag("empty_batch") : "empty batch");
    });

  it.each([
    [["v0"], "auto", "ok", "speaks v0;"],
    [["v0", "v1"], "auto", "ok", "speaks v0 and v1;"],
    [["v1"], "v1", "ok", "speaks v1;"],
    [["v0"], "v1", "problem", "speaks v0;"],
    [["v1"], "v0", "problem", "speaks v1;"],
  ])("a server of %j is, with protocol %s, %s", async (protocols, protocol, verdict, found) => {
    const host = await speaking(protocols);
    expect(await check("protocol", { host, protocol, key: null })).toMatchObject({
      verdict,
      found: expect.stringContaining(found),
    });
  });
});

describe("of the clock", () => {
  it.each([
    [0, "ok", "agrees"],
    [29_000, "ok", "agrees"],
    [120_000, "warning", "120 s ahead of"],
    [-120_000, "warning", "120 s behind"],
    [3_600_000, "problem", "3600 s ahead of"],
  ])("%i ms ahead is %s", async (ahead, verdict, found) => {
    const there = Date.UTC(2026, 10, 1);
    const host = await answering(400, "empty batch", { date: new Date(there).toUTCString() });
    expect(await check("clock", { host, key: null, now: () => there + 500 + ahead })).toMatchObject({
      verdict,
      found: expect.stringContaining(found),
    });
  });
});

describe("of the project", () => {
  it("says that the token is another's, without telling it", async () => {
    posthog.api.settings = { name: "Shop", api_token: "phc_other" };
    const found = await check("project");
    expect(found).toMatchObject({ verdict: "problem", found: 'The token is not that of project 7, "Shop".' });
    expect(JSON.stringify(found)).not.toMatch(/phc_(other|test)/);
  });

  it.each([
    [{ drop_events_older_than_seconds: 2_592_000 }, "30 days"],
    [{ drop_events_older_than: "90 00:00:00" }, "90 days"],
    [{ drop_events_older_than: "12:00:00" }, "43200 s"],
  ])("warns of %j", async (setting, age) => {
    posthog.api.settings = { api_token: TOKEN, ...setting };
    expect(await check("old events")).toMatchObject({ verdict: "warning", found: expect.stringContaining(age) });
  });

  it("leaves out what the server does not show, and says that nothing of old is dropped where it says so", async () => {
    expect(await check("old events")).toMatchObject({ verdict: "left out" });
    expect(await check("persons")).toMatchObject({ verdict: "left out" });
    posthog.api.settings = { api_token: TOKEN, drop_events_older_than_seconds: 0 };
    expect(await check("old events")).toMatchObject({ verdict: "ok" });
  });

  it("says that it processes no persons, and so no groups", async () => {
    posthog.api.settings = { api_token: TOKEN, person_processing_opt_out: true };
    expect(await check("persons")).toMatchObject({ verdict: "problem" });
  });

  it("says which group types do not fit, and since when it shows the others", async () => {
    for (const type of ["company", "one", "two", "three", "four"]) posthog.takeSlot(type);
    expect(await check("group types")).toMatchObject({
      verdict: "problem",
      found: expect.stringContaining('"project" of source app: one too many'),
    });
    expect(await check("group types since")).toMatchObject({
      verdict: "warning",
      found: "PostHog has group types since: company 2026-10-01.",
    });
  });

  it("says that there is none, or that its API is down, and still what it knows of the host", async () => {
    posthog.api.projectId = 8;
    expect(await check("project")).toMatchObject({
      verdict: "problem",
      found: expect.stringContaining("no project 7"),
    });
    posthog.api.failure = { kind: "reset" };
    const checks = await examine();
    expect(checks.find(({ name }) => name === "project")).toMatchObject({ verdict: "problem" });
    expect(checks.find(({ name }) => name === "host")).toMatchObject({ verdict: "ok" });
  });
});
