/** `protocol: auto`: v1 where the server has it, else v0, and nothing lost or doubled whatever the server does. */

import { afterEach, beforeEach, expect, it } from "vitest";
import type { Destination } from "../../src/core/destination.ts";
import type { OutboxMessage } from "../../src/core/message.ts";
import { createPosthogDestination } from "../../src/destinations/posthog/posthog.ts";
import { createManualClock, type ManualClock } from "../fakes/clock.ts";
import { outboxMessages } from "../fakes/outbox.ts";
import { type Failure, type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";

const HOUR = 3_600_000;
const unsignalled = new AbortController().signal;
const messages = outboxMessages(5);

let posthog: FakePosthog;
let destination: Destination;
let clock: ManualClock;

beforeEach(async () => {
  posthog = await startFakePosthog();
  clock = createManualClock();
  destination = createPosthogDestination({ name: "p", host: posthog.url, token: "phc_t", version: "1.0.0", clock });
});

afterEach(async () => {
  await destination.close();
  await posthog.close();
});

async function deliver(): Promise<readonly string[]> {
  return (await destination.deliver(messages, unsignalled)).map(({ kind }) => kind);
}

const spoken = () => posthog.requests.map(({ protocol }) => protocol);
const ALL = Array(5).fill("delivered");

it("asks once, with a batch without events, and speaks v1 from then on", async () => {
  expect(destination.protocol?.()).toBeNull();
  expect(await Promise.all([deliver(), deliver()])).toEqual([ALL, ALL]);
  await clock.advance(100 * HOUR);
  expect(await deliver()).toEqual(ALL);
  expect(posthog.probes).toBe(1);
  expect(spoken()).toEqual(["v1", "v1", "v1"]);
  expect(destination.protocol?.()).toBe("v1");
});

it("speaks v0 to a server without v1, and asks again now and then", async () => {
  posthog.hasV1 = false;
  expect(await deliver()).toEqual(ALL);
  posthog.hasV1 = true;
  expect(await deliver()).toEqual(ALL);
  await clock.advance(HOUR);
  expect(await deliver()).toEqual(ALL);
  expect(spoken()).toEqual(["v0", "v0", "v1"]);
});

const VANISHING: readonly (readonly [string, Failure])[] = [
  ["a 404", { kind: "status", status: 404, body: "not found" }],
  ["a 405", { kind: "status", status: 405, body: "" }],
  ["a redirect to a login", { kind: "status", status: 302, body: "" }],
  ["a page of a proxy", { kind: "status", status: 200, body: "<html>Hello</html>" }],
  ["a proxy that forbids the path", { kind: "status", status: 403, body: "<html>Forbidden</html>" }],
  ["an answer with other results", { kind: "status", status: 200, body: '{"results":[]}' }],
];
it.each(VANISHING)("sends the same events by v0 when v1 turns out not to be there: %s", async (_, failure) => {
  await deliver();
  posthog.failNext(failure);
  expect(await deliver()).toEqual(ALL);
  expect(spoken()).toEqual(["v1", "v1", "v0"]);
  expect(posthog.events()).toHaveLength(5);
  expect(await deliver()).toEqual(ALL);
  await clock.advance(60_000);
  expect(await deliver()).toEqual(ALL);
  expect(spoken().slice(3)).toEqual(["v0", "v1"]);
  expect(posthog.events()).toHaveLength(5);
});

it.each([404, 405, 410])("asks for v1 at once when v0, which it spoke, answers %i", async (status) => {
  posthog.hasV1 = false;
  expect(await deliver()).toEqual(ALL);
  posthog.hasV1 = true;
  posthog.failNext({ kind: "status", status });
  expect(await destination.deliver(messages, unsignalled)).toMatchObject(
    Array(5).fill({ kind: "retry", cause: "blocked", retryAfterMs: 60_000 }),
  );
  expect(await deliver()).toEqual(ALL);
  expect(spoken()).toEqual(["v0", "v0", "v1"]);
});

it("goes on by v1 when only v0, by which some messages go, is not there", async () => {
  await deliver();
  posthog.failWhen((_, protocol) => (protocol === "v0" ? { kind: "status", status: 404 } : null));
  const text = String(messages[0]?.body).replace("$groupidentify", "$ai_generation");
  const ai = { ...messages[0], body: Buffer.from(text) } as OutboxMessage;
  expect((await destination.deliver([ai], unsignalled)).map(({ kind }) => kind)).toEqual(["retry"]);
  expect(await deliver()).toEqual(ALL);
  expect(posthog.probes).toBe(1);
});

it("folds what a server took by v1 before it said that it has none", async () => {
  await deliver();
  posthog.failNext({ kind: "truncatedAnswer" });
  expect(await deliver()).toEqual(Array(5).fill("retry"));
  posthog.hasV1 = false;
  expect(await deliver()).toEqual(ALL);
  expect(posthog.events()).toHaveLength(5);
});

it("holds back rather than speak v0 when told to speak v1", async () => {
  await destination.close();
  posthog.hasV1 = false;
  const options = { name: "p", host: posthog.url, token: "phc_t", version: "1.0.0", protocol: "v1" } as const;
  destination = createPosthogDestination(options);
  expect(await deliver()).toEqual(Array(5).fill("retry"));
  expect(spoken()).toEqual([]);
});
