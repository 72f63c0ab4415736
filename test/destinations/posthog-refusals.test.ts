/** A refusal that is about a message costs that message; one that is about the destination costs none. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Destination } from "../../src/core/destination.ts";
import type { OutgoingMessage } from "../../src/core/message.ts";
import { createPosthogDestination } from "../../src/destinations/posthog/posthog.ts";
import { createManualClock } from "../fakes/clock.ts";
import { createMemoryLedger } from "../fakes/ledger.ts";
import { event, toOutbox, uuidOf } from "../fakes/outbox.ts";
import { type Failure, type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { createRig } from "../pipeline/delivery-rig.ts";

const unsignalled = new AbortController().signal;
const MINUTE_MS = 60_000;
const refusing = (body: string): Failure => ({ kind: "status", status: 400, body });
const TEXT = refusing("event submitted without an event name");
const TAGGED = refusing('{"error":"request_parsing_error"}');

let posthog: FakePosthog;
const open: Destination[] = [];

beforeEach(async () => {
  posthog = await startFakePosthog();
});

afterEach(async () => {
  for (const destination of open.splice(0)) await destination.close();
  await posthog.close();
});

function openDestination(protocol: "v0" | "v1"): Destination {
  const options = { name: "posthog", host: posthog.url, token: "phc_test", version: "1.0.0", protocol } as const;
  const destination = createPosthogDestination({ ...options, messagesPerSecond: null, lingerMs: 0, maxMessages: 10 });
  open.push(destination);
  return destination;
}

const events = (count: number, from = 0, person = "u") =>
  Array.from({ length: count }, (_, index) => event(`${person}-${index}`, from + index));

describe.each([
  ["v0", TEXT],
  ["v1", TAGGED],
] as const)("by %s", (protocol, refusal) => {
  const refuse = (...sequences: readonly number[]) =>
    posthog.failWhen((uuids) => (uuids.some((uuid) => sequences.map(uuidOf).includes(uuid)) ? refusal : null));

  async function deliver(destination: Destination, messages: readonly OutgoingMessage[]) {
    return destination.deliver(messages.map(toOutbox), unsignalled);
  }

  function feed(destination: Destination, messages: readonly OutgoingMessage[]) {
    const clock = createManualClock();
    const ledger = createMemoryLedger("posthog", clock);
    ledger.put(messages);
    return { ledger, ...createRig(destination, () => ledger, { clock }) };
  }

  it.each([
    ["in words", refusing("Bad Request")],
    ["in JSON", refusal],
    ["with another id each time", null],
  ])("buries nothing where everything is refused, %s", async (_, failure) => {
    const tag = protocol === "v1" ? `"error":"request_parsing_error",` : "";
    let id = 0;
    Object.defineProperty(posthog, "broken", {
      get: () => failure ?? refusing(`{${tag}"message":"Bad Request","id":"9f86d081-${id++}"}`),
    });
    const destination = openDestination(protocol);
    const all = await deliver(destination, events(1000));
    expect(all).toHaveLength(1000);
    for (const outcome of all) expect(outcome).toMatchObject({ kind: "retry", cause: "blocked" });
    for (let times = 0; times < 5; times++) {
      for (const count of [1, 2, 3]) {
        const some = await deliver(destination, events(count));
        for (const outcome of some) expect(outcome).toMatchObject({ kind: "retry", cause: "blocked" });
      }
    }
  });

  it("holds back what refuses everything, says so, and loses nothing until it takes again", async () => {
    posthog.broken = refusal;
    const { ledger, delivery, pass, drain } = feed(openDestination(protocol), events(60));
    delivery.start();
    await pass(20 * MINUTE_MS);
    expect(delivery.health()).toMatchObject({ state: "blocked", reason: expect.stringContaining("400") });
    expect(ledger.dead).toEqual([]);
    posthog.broken = null;
    await drain();
    expect(ledger.dead).toEqual([]);
    expect(ledger.delivered).toHaveLength(60);
    expect(delivery.health().state).toBe("up");
    await delivery.stop(1000);
  });

  it("loses nothing when what took messages before refuses everything", async () => {
    const destination = openDestination(protocol);
    await deliver(destination, events(10));
    posthog.broken = refusal;
    for (const some of [events(10, 10), events(1, 10), events(1, 10), events(1, 10), events(1, 10)]) {
      for (const { kind } of await deliver(destination, some)) expect(kind).toBe("retry");
    }
  });

  it.each([0, 1, 31, 63])("buries the one culprit of 64, at place %i", async (culprit) => {
    refuse(culprit);
    const outcomes = await deliver(openDestination(protocol), events(64));
    expect(outcomes.flatMap(({ kind }, at) => (kind === "delivered" ? [] : [[at, kind]]))).toEqual([[culprit, "dead"]]);
    // Whoever traces one of the others must not take this for the first attempt.
    expect(outcomes.filter((one) => one.kind === "delivered" && one.code === "in_parts")).toHaveLength(63);
  });

  it("buries two culprits at the head of a batch", async () => {
    refuse(0, 1);
    const outcomes = await deliver(openDestination(protocol), events(3));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["dead", "dead", "delivered"]);
  });

  it("buries a message that is refused alone after others were taken, once", async () => {
    refuse(5, 6);
    const destination = openDestination(protocol);
    await deliver(destination, events(2));
    expect(await deliver(destination, events(1, 5))).toMatchObject([
      { kind: "dead", reason: expect.stringContaining("400") },
    ]);
    expect(await deliver(destination, events(1, 6))).toMatchObject([{ kind: "retry", cause: "blocked" }]);
    await deliver(destination, events(2));
    expect(await deliver(destination, events(1, 6))).toMatchObject([{ kind: "dead" }]);
  });

  it("buries a message that is too large, whatever is taken", async () => {
    posthog.broken = { kind: "status", status: 413, body: "" };
    expect(await deliver(openDestination(protocol), events(5))).toEqual(
      Array(5).fill(expect.objectContaining({ kind: "dead", code: "payload_too_large" })),
    );
  });

  it("buries a wrong message that came first, and lets those of other lanes arrive", async () => {
    refuse(0);
    const { ledger, delivery, until, drain } = feed(openDestination(protocol), events(1));
    delivery.start();
    await until(() => delivery.health().state === "blocked");
    ledger.put(events(20, 1, "other"));
    await drain();
    expect(ledger.dead.map(({ uuid }) => uuid)).toEqual([uuidOf(0)]);
    expect(ledger.delivered).toHaveLength(20);
    await delivery.stop(1000);
  });

  it.each([1, 2, 4])("buries the %i wrong messages that came first in the only lane", async (wrong) => {
    const messages = Array.from({ length: 20 }, (_, sequence) => event("ada", sequence));
    const culprits = [...Array(wrong).keys()];
    refuse(...culprits);
    const { ledger, delivery, until, drain } = feed(openDestination(protocol), messages.slice(0, wrong));
    delivery.start();
    await until(() => delivery.health().state === "blocked");
    ledger.put(messages.slice(wrong));
    await drain();
    expect(ledger.dead.map(({ uuid }) => uuid)).toEqual(culprits.map(uuidOf));
    expect(ledger.delivered).toEqual(messages.slice(wrong).map(({ uuid }) => uuid));
    await delivery.stop(1000);
  });

  it("buries no more than three where batches are read and every event is refused", async () => {
    posthog.failWhen(() => refusal);
    const messages = Array.from({ length: 8 }, (_, sequence) => event("ada", sequence));
    const { ledger, delivery, pass } = feed(openDestination(protocol), messages);
    delivery.start();
    await pass(120 * MINUTE_MS);
    expect(ledger.dead).toHaveLength(3);
    expect(delivery.health().state).toBe("blocked");
    await delivery.stop(1000);
  });
});
