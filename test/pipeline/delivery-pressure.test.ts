/** How much a destination is asked at once: less while it is busy, one message at a time while it takes nothing. */

import { expect, it } from "vitest";
import { DELIVERED, type Outcome } from "../../src/core/destination.ts";
import { createManualClock } from "../fakes/clock.ts";
import { createMemoryLedger } from "../fakes/ledger.ts";
import { groupIdentifies } from "../fakes/outbox.ts";
import { createRig, scriptedDestination } from "./delivery-rig.ts";

const MINUTE = 60_000;
const DOWN: Outcome = { kind: "retry", reason: "refused" };
const BUSY: Outcome = { kind: "retry", reason: "503", cause: "busy" };
const BLOCKED: Outcome = { kind: "retry", reason: "401", cause: "blocked", retryAfterMs: MINUTE };

function startRig(decide: () => Outcome, limits: { concurrency?: number; maxMessages?: number } = {}, messages = 200) {
  const clock = createManualClock();
  const ledger = createMemoryLedger("test", clock);
  ledger.put(groupIdentifies(messages));
  const destination = scriptedDestination(decide, limits);
  return { rig: createRig(destination, () => ledger, { clock }), ledger, destination, clock };
}

it("tries one message at a time while a destination takes nothing, and goes on as before when it does", async () => {
  let answer: Outcome = DOWN;
  const { rig, destination, ledger } = startRig(() => answer, { concurrency: 1 });
  rig.delivery.start();
  await rig.until(() => destination.batches.length === 5);
  await rig.pass(10 * MINUTE);
  const probes = destination.batches.slice(6);
  expect(probes.length).toBeGreaterThan(3);
  expect(probes.every(({ length }) => length === 1)).toBe(true);
  expect(rig.delivery.health()).toMatchObject({ state: "probing", reason: "refused" });
  expect(rig.logged.filter((line) => line.startsWith("The destination takes nothing"))).toHaveLength(1);
  answer = DELIVERED;
  const before = destination.batches.length;
  await rig.drain();
  expect(destination.batches.slice(before + 1).some(({ length }) => length > 1)).toBe(true);
  expect(ledger.delivered).toHaveLength(200);
  expect(rig.delivery.health()).toMatchObject({ state: "up", reason: null });
  await rig.delivery.stop(1000);
});

it("says that somebody has to change something, asks once a pause, and loses nothing", async () => {
  let answer: Outcome = BLOCKED;
  const { rig, destination, ledger, clock } = startRig(() => answer, { concurrency: 1 });
  rig.delivery.start();
  await rig.until(() => destination.batches.length === 1);
  const startedAt = clock.now();
  expect(rig.delivery.health()).toMatchObject({ state: "blocked", reason: "401", pausedUntil: startedAt + MINUTE });
  await rig.pass(10 * MINUTE);
  expect(destination.batches.length).toBeLessThanOrEqual(11);
  expect(destination.batches.slice(1).every(({ length }) => length === 1)).toBe(true);
  expect(ledger.dead).toEqual([]);
  answer = DELIVERED;
  await rig.drain();
  expect(ledger.delivered).toHaveLength(200);
  await rig.delivery.stop(1000);
});

it("does not take a message that is refused before it is sent for a destination that takes something again", async () => {
  const answers: Outcome[] = [BLOCKED, { kind: "dead", reason: "it is too large", isUnsent: true }, BLOCKED];
  const { rig, destination, ledger } = startRig(() => answers.shift() ?? BLOCKED, { concurrency: 1 });
  rig.delivery.start();
  await rig.until(() => destination.batches.length >= 2);
  expect(ledger.dead).toHaveLength(1);
  expect(rig.delivery.health()).toMatchObject({ state: "blocked" });
  await rig.pass(5 * MINUTE);
  expect(rig.logged.filter((line) => line.includes("takes messages again"))).toEqual([]);
  await rig.delivery.stop(1000);
});

it("says nothing of the destination by what another service fails", async () => {
  const apart: Outcome = { kind: "retry", reason: "the private API answered 503", cause: "apart" };
  const { rig, destination } = startRig(() => apart, { concurrency: 1 }, 1);
  rig.delivery.start();
  await rig.until(() => destination.batches.length > 10);
  expect(rig.delivery.health()).toMatchObject({ state: "up", reason: null });
  await rig.delivery.stop(1000);
});

it("asks less at once of a destination that has too much to do, also when it took part of a batch", async () => {
  const { rig } = startPartly();
  rig.delivery.start();
  await rig.until(() => rig.delivery.health().concurrency === 1);
  await rig.delivery.stop(1000);
});

function startPartly() {
  const clock = createManualClock();
  const ledger = createMemoryLedger("test", clock);
  ledger.put(groupIdentifies(200));
  const destination = scriptedDestination((batch) => batch.map((_, at) => (at === 0 ? DELIVERED : BUSY)), {
    concurrency: 4,
  });
  return { rig: createRig(destination, () => ledger, { clock }) };
}

it("halves requests in flight when the destination is busy, once for those that were on their way, and adds one as it answers", async () => {
  let inFlight = 0;
  let most = 0;
  let answer: Outcome = BUSY;
  const answered = Promise.withResolvers<void>();
  let gate: Promise<void> | null = answered.promise;
  const clock = createManualClock();
  const ledger = createMemoryLedger("test", clock);
  ledger.put(groupIdentifies(400, 40));
  const decide = async () => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    if (gate) await gate;
    inFlight -= 1;
    return answer;
  };
  const destination = scriptedDestination(decide, { concurrency: 8, maxMessages: 2 });
  const rig = createRig(destination, () => ledger, { clock });
  rig.delivery.start();
  await rig.until(() => inFlight >= 4);
  answered.resolve();
  gate = null;
  await rig.until(() => rig.delivery.health().concurrency < 8);
  expect(rig.delivery.health()).toMatchObject({ concurrency: 4, maxConcurrency: 8 });
  answer = DELIVERED;
  most = 0;
  await rig.drain();
  expect(most).toBeLessThanOrEqual(8);
  expect(rig.delivery.health().concurrency).toBe(8);
  expect(ledger.delivered).toHaveLength(400);
  await rig.delivery.stop(1000);
});

it("counts what was not sent as no attempt, and lets the rest of its lane wait for it", async () => {
  const clock = createManualClock();
  const ledger = createMemoryLedger("test", clock);
  ledger.put(groupIdentifies(3, 1));
  const openAt = clock.now() + 10 * MINUTE;
  const attempts: number[] = [];
  const destination = scriptedDestination((messages) => {
    attempts.push(...messages.map((message) => message.attempts));
    return clock.now() < openAt
      ? messages.map(() => ({ kind: "later", reason: "too many", afterMs: 1000 }) as const)
      : DELIVERED;
  });
  const rig = createRig(destination, () => ledger, { clock });
  await rig.drain();
  expect(new Set(attempts)).toEqual(new Set([0]));
  expect(rig.observed.some((line) => line.startsWith("retried"))).toBe(false);
  expect(ledger.delivered).toHaveLength(3);
  await rig.delivery.stop(1000);
});
