/** Reading the group types of a project from PostHog's private API on loopback. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { apiAddress } from "../../src/destinations/posthog/private-api/address.ts";
import type { ProjectOptions } from "../../src/destinations/posthog/private-api/client.ts";
import { readProjectGroupTypes } from "../../src/destinations/posthog/private-api/group-types.ts";
import { type Failure, type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";

const KEY = "phx_reader";

let posthog: FakePosthog;

beforeEach(async () => {
  posthog = await startFakePosthog();
  posthog.api.scopesOf.set(KEY, ["group:read"]);
});

afterEach(() => posthog.close());

function read(options: Partial<ProjectOptions> = {}) {
  const settings = { host: posthog.url, projectId: 7, personalApiKey: KEY, version: "1.2.3", timeoutMs: 5000 };
  return readProjectGroupTypes({ ...settings, ...options });
}

it("gives each type with its index, gaps included", async () => {
  for (const type of ["company", "typo", "project"]) posthog.takeSlot(type);
  posthog.deleteGroupType("typo");
  expect(await read()).toEqual({
    groupTypes: [
      { groupType: "company", index: 0 },
      { groupType: "project", index: 2 },
    ],
  });
});

it("asks the host of the private API", async () => {
  const elsewhere = { host: "http://127.0.0.1:1", apiHost: posthog.url };
  expect(await read(elsewhere)).toEqual({ groupTypes: [] });
  expect(posthog.api.requests).toEqual(["/api/projects/7/groups_types/"]);
  expect(apiAddress({ host: "https://eu.i.posthog.com" }).href).toBe("https://eu.posthog.com/");
  expect(apiAddress({ host: "https://us.i.posthog.com/" }).href).toBe("https://us.posthog.com/");
  expect(apiAddress({ host: "https://ph.example/x" }).href).toBe("https://ph.example/x");
  expect(apiAddress({ host: "https://us.i.posthog.com", apiHost: "https://p.example" }).href).toBe(
    "https://p.example/",
  );
});

describe("says what is wrong", () => {
  it("with a project token where a personal key belongs", async () => {
    expect(await read({ personalApiKey: "phc_token" })).toEqual({
      reason: expect.stringContaining("a project token (phc_…) stands where a personal API key (phx_…) belongs"),
      hint: expect.stringContaining("group:read"),
    });
  });

  it("with a key that PostHog does not know, without repeating it", async () => {
    const answer = await read({ personalApiKey: "phx_stranger" });
    expect(answer).toMatchObject({ reason: expect.stringContaining("does not know the key") });
    expect(answer).toMatchObject({ reason: expect.stringContaining("Personal API key … is invalid") });
  });

  it("with a key that lacks the scope", async () => {
    posthog.api.scopesOf.set("phx_writer", ["group:write"]);
    expect(await read({ personalApiKey: "phx_writer" })).toMatchObject({
      reason: expect.stringMatching(/lacks a scope .*group:read/),
    });
  });

  it("with the project", async () => {
    expect(await read({ projectId: 8 })).toMatchObject({ reason: expect.stringContaining("there is no project 8") });
  });

  const failures: readonly (readonly [string, Failure, string])[] = [
    ["a 500", { kind: "status", status: 500, body: "<h1>sorry</h1>" }, "answered 500: <h1>sorry</h1>"],
    ["a redirect", { kind: "status", status: 302 }, "answered 302"],
    ["a reset", { kind: "reset" }, "was not reached"],
    ["an answer cut short", { kind: "truncatedAnswer" }, "was not reached"],
    ["a page", { kind: "status", status: 200, body: "<html>Sign in</html>" }, "no list of group types"],
    ["another list", { kind: "status", status: 200, body: `[{"group_type":"a"}]` }, "no list of group types"],
    [
      "an endless answer",
      { kind: "status", status: 200, body: `[${" ".repeat(5_000_000)}]` },
      "no list of group types",
    ],
  ];
  it.each(failures)("for %s", async (_, failure, reason) => {
    posthog.api.failure = failure;
    expect(await read()).toMatchObject({ reason: expect.stringContaining(reason) });
  });

  it("when an answer drips without end, which no wait between two parts of it ends", async () => {
    const drops = new Set<NodeJS.Timeout>();
    const server = createServer((_, response) => {
      response.writeHead(200).write("[");
      drops.add(setInterval(() => response.write(" "), 5));
    });
    onTestFinished(() => {
      for (const drop of drops) clearInterval(drop);
      server.closeAllConnections();
      server.close();
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo; // A server listening on TCP has one.
    const answer = await read({ host: `http://127.0.0.1:${port}`, timeoutMs: 100 });
    expect(answer).toMatchObject({ reason: expect.stringContaining("was not reached") });
  });

  it("when nothing comes back in time", async () => {
    posthog.api.failure = { kind: "hang" };
    expect(await read({ timeoutMs: 50 })).toMatchObject({ reason: expect.stringContaining("was not reached") });
  });
});
