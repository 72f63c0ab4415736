/** `requestsPerSecond` of a PostHog destination: of HTTP requests, for each service. */

import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Destination } from "../../src/core/destination.ts";
import type { OutboxMessage } from "../../src/core/message.ts";
import { createPosthogDestination, type PosthogOptions } from "../../src/destinations/posthog/posthog.ts";
import { createManualClock, type ManualClock } from "../fakes/clock.ts";
import { event, outboxMessages, toOutbox } from "../fakes/outbox.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { createWorkClock } from "../pipeline/delivery-rig.ts";

let posthog: FakePosthog;
let destination: Destination;
let clock: ManualClock;
let work: ReturnType<typeof createWorkClock>;
/** When requests came, in ms since the start. */
let came: number[];
let cameOfHistory: number[];

beforeEach(async () => {
  posthog = await startFakePosthog();
  clock = createManualClock();
  work = createWorkClock(clock);
  const startedAt = clock.now();
  came = [];
  cameOfHistory = [];
  posthog.failWhen(() => {
    const isHistory = posthog.requests.at(-1)?.text.includes('"historical_migration":true');
    (isHistory ? cameOfHistory : came).push(clock.now() - startedAt);
    return null;
  });
});

afterEach(async () => {
  await destination.close();
  await posthog.close();
});

function open(options: Partial<PosthogOptions>): void {
  const fixed = { name: "posthog", host: posthog.url, token: "phc_test", version: "1.0.0", clock: work };
  destination = createPosthogDestination({ ...fixed, protocol: "v1", ...options });
}

/** Delivers all at once; the clock moves on, a tenth of a second at a time, only while every delivery not done waits for it. */
async function deliverAll(...batches: readonly (readonly OutboxMessage[])[]): Promise<readonly string[][]> {
  let running = batches.length;
  const deliveries = batches.map((batch) =>
    destination.deliver(batch, new AbortController().signal).finally(() => {
      running -= 1;
    }),
  );
  while (running > 0) {
    await turn();
    if (running > 0 && work.resting() >= running) await clock.advance(100);
  }
  return (await Promise.all(deliveries)).map((outcomes) => outcomes.map(({ kind }) => kind));
}

/** Of one person, whose properties have to arrive in order: a request for each. */
const history = (count: number) =>
  Array.from({ length: count }, (_, sequence) => {
    const old = event("ada", sequence, { occurredAt: Date.UTC(2026, 9, 1), service: "historical" });
    const json = old.json.replace(`"properties":{`, `"properties":{"$set":{"at":${sequence}},`);
    return toOutbox({ ...old, json }, sequence);
  });
const ofOneGroup = (count: number) => outboxMessages(count, 1);
const delivered = (count: number) => Array(count).fill("delivered");

it("counts every request that a batch takes", async () => {
  open({ requestsPerSecond: 1 });
  expect(await deliverAll(ofOneGroup(5))).toEqual([delivered(5)]);
  expect(came).toEqual([0, 1000, 2000, 3000, 4000]);
});

it("counts the parts of a batch that is taken apart", async () => {
  open({ requestsPerSecond: 2, protocol: "v0" });
  posthog.failNext({ kind: "status", status: 413 });
  expect(await deliverAll(outboxMessages(4))).toEqual([delivered(4)]);
  expect(came).toEqual([0, 1000]);
});

it("has as many again for history", async () => {
  open({ requestsPerSecond: 1 });
  await deliverAll(ofOneGroup(3), history(3));
  expect(came).toEqual([0, 1000, 2000]);
  expect(cameOfHistory).toEqual([0, 1000, 2000]);
});

it("has a rate of its own for history where one is told, whichever way history goes", async () => {
  open({
    requestsPerSecond: 1,
    historical: { messagesPerSecond: null, requestsPerSecond: 0.5 },
    historicalMigration: false,
  });
  await deliverAll(history(3));
  expect(came).toEqual([0, 2000, 4000]);
  await destination.close();
  open({ requestsPerSecond: 0.1, historical: { messagesPerSecond: null, requestsPerSecond: null } });
  await deliverAll(history(3));
  expect(cameOfHistory).toEqual([4000, 4000, 4000]);
});

it("waits no longer once it is called off", async () => {
  open({ requestsPerSecond: 0.001 });
  const calling = new AbortController();
  const delivering = destination.deliver(ofOneGroup(3), calling.signal);
  while (work.resting() === 0) await turn();
  calling.abort();
  expect((await delivering).map(({ kind }) => kind)).toEqual(["delivered", "retry", "later"]);
  expect(came).toEqual([0]);
});
