/** Delivery against a scripted destination, on a clock that stands still. */

import { expect, it } from "vitest";
import { DELIVERED, type Outcome } from "../../src/core/destination.ts";
import { PrickleError } from "../../src/core/errors.ts";
import type { OutgoingMessage } from "../../src/core/message.ts";
import { createManualClock } from "../fakes/clock.ts";
import { createMemoryLedger, type MemoryLedger } from "../fakes/ledger.ts";
import { event, groupIdentifies, groupIdentify, uuidIn, uuidOf } from "../fakes/outbox.ts";
import { createRig, isInLaneOrder, scriptedDestination } from "./delivery-rig.ts";

const HOUR = 3_600_000;
const RETRY: Outcome = { kind: "retry", reason: "not now" };

function filled(messages: readonly OutgoingMessage[]) {
  const clock = createManualClock();
  const ledger = createMemoryLedger("test", clock);
  ledger.put(messages);
  return { clock, ledger, use: () => ledger };
}

it("delivers everything once and in lane order, in batches no larger than allowed", async () => {
  const messages = groupIdentifies(205);
  const { clock, use } = filled(messages);
  const destination = scriptedDestination(() => DELIVERED);
  const rig = createRig(destination, use, { clock });
  await rig.drain();
  expect(destination.delivered.toSorted()).toEqual(messages.map(({ uuid }) => uuid));
  expect(isInLaneOrder(destination.delivered, messages)).toBe(true);
  expect(Math.max(...destination.batches.map(({ length }) => length))).toBe(10);
  await rig.delivery.stop(1000);
});

it("asks for the next claim before it builds the requests of this one", async () => {
  const { clock, ledger } = filled(groupIdentifies(20));
  const order: string[] = [];
  const destination = scriptedDestination(() => {
    order.push("deliver");
    return DELIVERED;
  });
  const noting: MemoryLedger = {
    ...ledger,
    claim(request) {
      if (request.service === "live") order.push("claim");
      return ledger.claim(request);
    },
  };
  const rig = createRig(destination, () => noting, { clock });
  await rig.drain();
  expect(order.slice(0, 2)).toEqual(["claim", "claim"]);
  await rig.delivery.stop(1000);
});

it("keeps batches within their bytes", async () => {
  const messages = groupIdentifies(40);
  const { clock, use } = filled(messages);
  const maxBytes = 3 * (messages[0]?.json.length ?? 0) + 20;
  const destination = scriptedDestination(() => DELIVERED, { maxBytes });
  const rig = createRig(destination, use, { clock });
  await rig.drain();
  expect(Math.max(...destination.batches.map(({ length }) => length))).toBe(3);
  await rig.delivery.stop(1000);
});

it("holds back only the lane whose message has to wait", async () => {
  const [stuck, ...others] = [groupIdentify("stuck", 0), ...groupIdentifies(50).slice(1)];
  const behind = others.filter(({ lane }) => lane === stuck.lane);
  const free = others.filter(({ lane }) => lane !== stuck.lane);
  const { clock, use } = filled([stuck, ...others]);
  let open = false;
  const destination = scriptedDestination((batch) =>
    batch.map(({ lane }) => (lane === stuck.lane && !open ? RETRY : DELIVERED)),
  );
  const rig = createRig(destination, use, { clock });
  rig.delivery.start();
  await rig.until(() => destination.delivered.length === free.length);
  await rig.pass(600_000);
  expect(destination.delivered.toSorted()).toEqual(free.map(({ uuid }) => uuid));
  open = true;
  await rig.drain();
  expect(destination.delivered.slice(free.length)).toEqual([stuck, ...behind].map(({ uuid }) => uuid));
  await rig.delivery.stop(1000);
});

it("gives up a message that is wrong, alone, and its lane goes on", async () => {
  const messages = groupIdentifies(30, 1);
  const { clock, ledger, use } = filled(messages);
  const destination = scriptedDestination((batch) =>
    batch.map((message) => (uuidIn(message) === uuidOf(7) ? { kind: "dead", reason: "it is wrong" } : DELIVERED)),
  );
  const rig = createRig(destination, use, { clock });
  await rig.drain();
  expect(ledger.dead).toEqual([{ uuid: uuidOf(7), reason: "it is wrong" }]);
  expect(destination.delivered).toHaveLength(29);
  expect(isInLaneOrder(destination.delivered, messages)).toBe(true);
  expect(rig.observed).toContain("died 1: it is wrong");
  await rig.delivery.stop(1000);
});

it("holds back the whole destination for as long as it asks", async () => {
  const { clock, use } = filled(groupIdentifies(100));
  const startedAt = clock.now();
  const askedAt: number[] = [];
  const destination = scriptedDestination(
    () => {
      askedAt.push(clock.now() - startedAt);
      return askedAt.length === 1 ? { kind: "retry", reason: "429", retryAfterMs: 120_000 } : DELIVERED;
    },
    { concurrency: 1 },
  );
  const rig = createRig(destination, use, { clock });
  await rig.drain();
  expect(askedAt[0]).toBe(0);
  expect(askedAt[1]).toBeGreaterThanOrEqual(120_000);
  expect(askedAt[1]).toBeLessThan(125_000);
  expect(destination.delivered).toHaveLength(100);
  await rig.delivery.stop(1000);
});

it("gives up nothing while the destination is down, however long", async () => {
  const messages = groupIdentifies(20);
  const { clock, ledger, use } = filled(messages);
  let down = true;
  const destination = scriptedDestination(() => (down ? RETRY : DELIVERED));
  const rig = createRig(destination, use, { clock, retryHorizonMs: HOUR });
  rig.delivery.start();
  await rig.pass(3 * HOUR);
  expect(ledger.dead).toEqual([]);
  down = false;
  await rig.drain();
  expect(destination.delivered.toSorted()).toEqual(messages.map(({ uuid }) => uuid));
  await rig.delivery.stop(1000);
});

it("finds the message that makes its whole batch fail, lets the others go, and gives it up after the horizon", async () => {
  const messages = groupIdentifies(40, 1);
  const { clock, ledger, use } = filled(messages);
  const destination = scriptedDestination((batch) =>
    batch.some((message) => uuidIn(message) === uuidOf(5)) ? RETRY : DELIVERED,
  );
  const rig = createRig(destination, use, { clock, retryHorizonMs: HOUR });
  rig.delivery.start();
  const startedAt = clock.now();
  const others = putRegularly(ledger, rig.delivery.wake);
  await rig.until(() => {
    others.putUntil(clock.now());
    return ledger.dead.length > 0;
  });
  expect(clock.now() - startedAt).toBeGreaterThanOrEqual(HOUR);
  await rig.drain();
  expect(ledger.dead).toEqual([{ uuid: uuidOf(5), reason: "tried for 1 hours: not now" }]);
  expect(destination.delivered.filter((uuid) => uuid < uuidOf(40))).toEqual(
    messages.map(({ uuid }) => uuid).filter((uuid) => uuid !== uuidOf(5)),
  );
  await rig.delivery.stop(1000);
});

it("lets those before a wrong message go although nothing else is on its way, and gives up nothing on suspicion", async () => {
  const messages = groupIdentifies(10, 1);
  const { clock, ledger, use } = filled(messages);
  const destination = scriptedDestination((batch) =>
    batch.some((message) => uuidIn(message) === uuidOf(5)) ? RETRY : DELIVERED,
  );
  const rig = createRig(destination, use, { clock, retryHorizonMs: HOUR });
  rig.delivery.start();
  await rig.pass(3 * HOUR);
  expect(ledger.delivered).toEqual(messages.slice(0, 5).map(({ uuid }) => uuid));
  expect(ledger.dead).toEqual([]);
  await rig.delivery.stop(0);
});

it("gives up after the horizon what fails by itself in batches of which all else is taken", async () => {
  const stuck = groupIdentify("company-0", 0);
  const { clock, ledger, use } = filled([stuck]);
  const destination = scriptedDestination((batch) =>
    batch.map((message) => (uuidIn(message) === stuck.uuid ? { kind: "retry", reason: "not stored" } : DELIVERED)),
  );
  const rig = createRig(destination, use, { clock, retryHorizonMs: HOUR });
  rig.delivery.start();
  const startedAt = clock.now();
  let sequence = 1000;
  await rig.until(() => {
    // Behind it in its lane: it is hardly ever alone in a batch.
    if (ledger.dead.length === 0) ledger.put([groupIdentify("company-0", sequence++)]);
    return ledger.dead.length > 0 || clock.now() > startedAt + 4 * HOUR;
  });
  expect(ledger.dead).toEqual([{ uuid: stuck.uuid, reason: expect.stringContaining("not stored") }]);
  expect(clock.now() - startedAt).toBeGreaterThanOrEqual(HOUR);
  await rig.delivery.stop(1000);
});

it("does not take a destination for down because a message that makes its batches fail is looked for", async () => {
  const wrong = groupIdentify("company-0", 0);
  const others = groupIdentifies(99).slice(1);
  const { clock, ledger, use } = filled([wrong, ...others]);
  const destination = scriptedDestination(
    (batch) => (batch.some((one) => uuidIn(one) === wrong.uuid) ? RETRY : DELIVERED),
    {
      maxMessages: 100,
      concurrency: 1,
    },
  );
  const rig = createRig(destination, use, { clock });
  rig.delivery.start();
  const free = others.filter(({ lane }) => lane !== wrong.lane);
  await rig.until(() => ledger.delivered.length === free.length);
  expect(rig.delivery.health()).toMatchObject({ state: "up" });
  expect(rig.logged.filter((line) => line.startsWith("The destination takes nothing"))).toEqual([]);
  await rig.delivery.stop(1000);
});

/** Traffic in other lanes, one message a minute. */
function putRegularly(ledger: MemoryLedger, wake: () => void) {
  const stuck = groupIdentify("company-0", 0).lane;
  const key = ["a", "b", "c", "d", "e"].find((name) => groupIdentify(name, 0).lane !== stuck) ?? "none";
  let sequence = 1000;
  let lastAt = 0;
  return {
    putUntil(now: number) {
      if (now - lastAt < 60_000) return;
      lastAt = now;
      ledger.put([groupIdentify(key, sequence++)]);
      wake();
    },
  };
}

it("goes on after the ledger could not be read or written", async () => {
  const messages = groupIdentifies(30);
  const { clock, ledger, use } = filled(messages);
  const destination = scriptedDestination(() => DELIVERED);
  const rig = createRig(destination, use, { clock });
  ledger.fail(new PrickleError("LEDGER_UNAVAILABLE", "the disk is gone"), 3);
  await rig.drain();
  ledger.put(groupIdentifies(35).slice(30));
  rig.delivery.wake();
  await rig.drain();
  expect(ledger.delivered).toHaveLength(35);
  expect(rig.logged.join("\n")).toContain("The outbox cannot be read");
  await rig.delivery.stop(1000);
});

it("delivers again what could not be noted down", async () => {
  const { clock, ledger, use } = filled(groupIdentifies(5, 1));
  const destination = scriptedDestination(() => {
    if (destination.batches.length === 1) ledger.fail(new PrickleError("LEDGER_UNAVAILABLE", "the disk is gone"), 1000);
    return DELIVERED;
  });
  const rig = createRig(destination, use, { clock, leaseMs: 10_000 });
  rig.delivery.start();
  await rig.until(() => rig.logged.some((line) => line.startsWith("A claim outlived its lease")));
  ledger.fail(new PrickleError("LEDGER_UNAVAILABLE", "the disk is back"), 0);
  await rig.drain();
  expect(destination.batches).toHaveLength(2);
  expect(ledger.delivered).toHaveLength(5);
  await rig.delivery.stop(1000);
});

it("takes a destination that throws for one that is down", async () => {
  const { clock, ledger, use } = filled(groupIdentifies(5));
  const destination = scriptedDestination(() => {
    if (destination.batches.length < 3) throw new Error("unforeseen");
    return DELIVERED;
  });
  const rig = createRig(destination, use, { clock });
  await rig.drain();
  expect(ledger.delivered).toHaveLength(5);
  expect(rig.observed).toContain("retried 5: unforeseen");
  await rig.delivery.stop(1000);
});

it("never sends more messages per second than allowed", async () => {
  const { clock, use } = filled(groupIdentifies(100));
  const startedAt = clock.now();
  const destination = scriptedDestination(() => DELIVERED, { messagesPerSecond: 5 });
  const rig = createRig(destination, use, { clock });
  await rig.drain();
  expect(Math.max(...destination.batches.map(({ length }) => length))).toBe(5);
  expect(clock.now() - startedAt).toBeGreaterThanOrEqual(19_000);
  await rig.delivery.stop(1000);
});

it("lets a batch that is not full wait for more", async () => {
  const { clock, ledger, use } = filled(groupIdentifies(1));
  const destination = scriptedDestination(() => DELIVERED, { lingerMs: 5000, maxMessages: 100 });
  const rig = createRig(destination, use, { clock });
  rig.delivery.start();
  await rig.until(() => destination.batches.length === 1);
  for (let sequence = 1; sequence < 50; sequence++) {
    ledger.put([groupIdentify("company", sequence)]);
    rig.delivery.wake();
  }
  await rig.drain();
  expect(destination.batches.map(({ length }) => length)).toEqual([1, 49]);
  await rig.delivery.stop(1000);
});

it("finishes what is in flight when stopped, takes nothing new, and leaves the rest in the outbox", async () => {
  const { clock, ledger, use } = filled(groupIdentifies(100, 50));
  const answer = Promise.withResolvers<Outcome>();
  const destination = scriptedDestination(() => answer.promise, { concurrency: 1 });
  const rig = createRig(destination, use, { clock });
  rig.delivery.start();
  while (destination.batches.length === 0) await clock.advance(0);
  const stopped = rig.delivery.stop(10_000);
  answer.resolve(DELIVERED);
  await stopped;
  const { depth } = await ledger.status();
  expect(ledger.delivered.length).toBeGreaterThanOrEqual(10);
  expect(depth).toBe(100 - ledger.delivered.length);
  expect(depth).toBeGreaterThan(0);
});

it("calls off what does not end within the grace, and frees its lanes at once", async () => {
  const { clock, ledger, use } = filled(groupIdentifies(10));
  const destination = scriptedDestination(
    (_, signal) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve({ kind: "retry", reason: "aborted" }))),
  );
  const rig = createRig(destination, use, { clock });
  rig.delivery.start();
  while (destination.batches.length === 0) await clock.advance(0);
  let stopped = false;
  const stopping = rig.delivery.stop(8000).then(() => {
    stopped = true;
  });
  await clock.advance(7999);
  expect(stopped).toBe(false);
  await clock.advance(1);
  await stopping;
  const { destinations } = await ledger.status();
  expect(destinations[0]).toMatchObject({ depth: 10, nextDueAt: clock.now() });
});

it("waits for lanes an earlier process left to wait, no longer", async () => {
  const { clock, ledger, use } = filled(groupIdentifies(5, 1));
  const first = createRig(
    scriptedDestination(() => RETRY),
    use,
    { clock },
  );
  first.delivery.start();
  await first.until(() => first.observed.length === 4);
  await first.delivery.stop(0);
  const { destinations } = await ledger.status();
  const dueAt = destinations[0]?.nextDueAt ?? 0;
  const second = scriptedDestination(() => DELIVERED);
  const rig = createRig(second, use, { clock });
  await rig.drain();
  expect(ledger.delivered).toHaveLength(5);
  expect(clock.now()).toBeGreaterThanOrEqual(dueAt);
  expect(clock.now()).toBeLessThan(dueAt + 1000);
  await rig.delivery.stop(0);
});

it("waits for each of several such lanes without asking all the time", async () => {
  const later = { ...groupIdentify("later", 0), lane: 0 };
  const sooner = { ...groupIdentify("sooner", 1), lane: 1 };
  const { clock, ledger } = filled([later, sooner]);
  const left = await ledger.claim({
    destination: "test",
    service: "live",
    maxMessages: 9,
    maxBytes: 9e6,
    leaseMs: 1000,
  });
  const dueAt = (lane: number) => clock.now() + (lane === later.lane ? 303_000 : 2_000);
  const outcomes = left?.messages.map(({ lane }) => ({ kind: "retry", reason: "x", dueAt: dueAt(lane) }) as const);
  await ledger.settle(left?.id ?? 0, outcomes ?? []);
  const startedAt = clock.now();
  let claims = 0;
  const counting = () => ({
    ...ledger,
    claim: (request: Parameters<typeof ledger.claim>[0]) => {
      // Of each service: both are asked.
      claims += request.service === "live" ? 1 : 0;
      // So that asking without end fails the test, instead of keeping it from ending.
      if (claims > 1000) throw new Error("asked too often");
      return ledger.claim(request);
    },
  });
  const times: number[] = [];
  const destination = scriptedDestination(() => {
    times.push(clock.now() - startedAt);
    return DELIVERED;
  });
  const rig = createRig(destination, counting, { clock });
  rig.delivery.start();
  await rig.pass(310_000);
  expect(times).toEqual([2_000, 303_000]);
  // One every five seconds, and a few for what was to be had.
  expect(claims).toBeLessThan(310 / 5 + 10);
  await rig.delivery.stop(0);
});

it("asks no more often when a lane whose time has come gives nothing", async () => {
  const { clock, ledger } = filled([groupIdentify("stuck", 0)]);
  let claims = 0;
  let isBroken = false;
  const breaking = () => ({
    ...ledger,
    claim: async (request: Parameters<typeof ledger.claim>[0]) => {
      claims += request.service === "live" ? 1 : 0;
      if (claims > 1000) throw new Error("asked too often");
      return isBroken ? null : ledger.claim(request);
    },
  });
  const destination = scriptedDestination(() => {
    isBroken = true;
    return RETRY;
  });
  const rig = createRig(destination, breaking, { clock });
  rig.delivery.start();
  await rig.pass(100_000);
  expect(destination.batches).toHaveLength(1);
  expect(claims).toBeLessThan(100 / 5 + 10);
  await rig.delivery.stop(0);
});

const pastEvents = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => event(`user-${index % 30}`, from + index, { service: "historical" }));

it("delivers a batch of one service at a time, each in lane order", async () => {
  const old = pastEvents(100);
  const live = Array.from({ length: 100 }, (_, index) => event(`user-${index % 30}`, 1_000 + index));
  const { clock, use } = filled([...old, ...live]);
  const mixed: string[] = [];
  const destination = scriptedDestination((batch) => {
    if (new Set(batch.map(({ historical }) => historical)).size > 1) mixed.push("mixed");
    return DELIVERED;
  });
  const rig = createRig(destination, use, { clock });
  await rig.drain();
  expect(mixed).toEqual([]);
  expect(destination.delivered.toSorted()).toEqual([...old, ...live].map(({ uuid }) => uuid));
  expect(isInLaneOrder(destination.delivered, [...old, ...live])).toBe(true);
  await rig.delivery.stop(1000);
});

it("takes what is live first, and history while nothing live is due", async () => {
  const { clock, ledger, use } = filled(pastEvents(40));
  const destination = scriptedDestination(() => DELIVERED, { concurrency: 1 });
  const rig = createRig(destination, use, { clock });
  ledger.put([event("ann", 1_000), event("ann", 1_001)]);
  await rig.drain();
  expect(destination.batches[0]).toEqual([uuidOf(1_000), uuidOf(1_001)]);
  await rig.delivery.stop(1000);
});

it("feeds both while either lingers or is at its rate", async () => {
  const { clock, ledger, use } = filled([...pastEvents(100), ...groupIdentifies(100)]);
  const limits = { messagesPerSecond: 10, historical: { messagesPerSecond: 5 }, lingerMs: 50 };
  const times = { live: [] as number[], historical: [] as number[] };
  const destination = scriptedDestination((batch) => {
    for (const { historical } of batch) times[historical ? "historical" : "live"].push(clock.now());
    return DELIVERED;
  }, limits);
  const startedAt = clock.now();
  const rig = createRig(destination, use, { clock });
  await rig.drain();
  expect(ledger.delivered).toHaveLength(200);
  const lastAt = (all: readonly number[]) => Math.round(((all.at(-1) ?? 0) - startedAt) / 1000);
  expect(lastAt(times.live)).toBeLessThanOrEqual(11);
  expect(lastAt(times.historical)).toBeGreaterThanOrEqual(18);
  await rig.delivery.stop(1000);
});

it("hears of something live while history waits for a long pause of its own", async () => {
  const { clock, ledger, use } = filled(pastEvents(5));
  const limited: Outcome = { kind: "retry", reason: "429", retryAfterMs: HOUR, isOfRate: true };
  const destination = scriptedDestination((batch) => (batch[0]?.historical ? limited : DELIVERED));
  const rig = createRig(destination, use, { clock });
  rig.delivery.start();
  await rig.until(() => destination.batches.length === 1);
  await rig.pass(30_000);
  ledger.put([event("ann", 1_000)]);
  rig.delivery.wake();
  const wokenAt = clock.now();
  await rig.until(() => ledger.delivered.length === 1);
  expect(clock.now() - wokenAt).toBeLessThanOrEqual(1_000);
  await rig.delivery.stop(0);
});

it("hears of something live while history waits for its rate", async () => {
  const { clock, ledger, use } = filled(pastEvents(5));
  const limits = { historical: { messagesPerSecond: 0.01 } };
  const destination = scriptedDestination(() => DELIVERED, limits);
  const rig = createRig(destination, use, { clock });
  rig.delivery.start();
  await rig.until(() => ledger.delivered.length === 1);
  await rig.pass(1_000);
  ledger.put([event("ann", 1_000)]);
  rig.delivery.wake();
  const wokenAt = clock.now();
  await rig.until(() => ledger.delivered.length === 2);
  expect(clock.now() - wokenAt).toBeLessThanOrEqual(1_000);
  await rig.delivery.stop(0);
});

it.each<[string, Outcome, boolean]>([
  ["a refused token", { kind: "retry", reason: "401", retryAfterMs: HOUR }, true],
  ["a refused token of a live request", { kind: "retry", reason: "401", retryAfterMs: HOUR }, false],
  ["too many live ones", { kind: "retry", reason: "429", retryAfterMs: HOUR, isOfRate: true }, false],
])("holds both back after %s", async (_, outcome, isOfHistory) => {
  const { clock, ledger, use } = filled([isOfHistory ? event("ann", 0, { service: "historical" }) : event("ann", 0)]);
  let isHeld = true;
  const destination = scriptedDestination(() => (isHeld ? outcome : DELIVERED));
  const rig = createRig(destination, use, { clock });
  rig.delivery.start();
  await rig.until(() => destination.batches.length === 1);
  isHeld = false;
  ledger.put([event("bob", 1), event("bob", 2, { service: "historical" })]);
  rig.delivery.wake();
  await rig.pass(HOUR - 60_000);
  expect(destination.batches).toHaveLength(1);
  await rig.drain();
  expect(ledger.delivered).toHaveLength(3);
  await rig.delivery.stop(0);
});

it("does not take history for guilty because what is live goes through", async () => {
  const { clock, ledger, use } = filled(pastEvents(20));
  let isUp = false;
  const destination = scriptedDestination((batch) => (batch[0]?.historical && !isUp ? RETRY : DELIVERED));
  const rig = createRig(destination, use, { clock, retryHorizonMs: HOUR });
  rig.delivery.start();
  for (let minute = 0; minute < 120; minute++) {
    ledger.put([event("ann", 1_000 + minute)]);
    rig.delivery.wake();
    await rig.pass(60_000);
  }
  expect(ledger.dead).toEqual([]);
  isUp = true;
  await rig.drain();
  expect(ledger.delivered).toHaveLength(140);
  await rig.delivery.stop(0);
});

it("does not look for history at each commit of something live", async () => {
  const { clock, ledger } = filled([]);
  let questions = 0;
  const counting = () => ({
    ...ledger,
    claim: (request: Parameters<typeof ledger.claim>[0]) => {
      questions += request.service === "historical" ? 1 : 0;
      return ledger.claim(request);
    },
  });
  const destination = scriptedDestination(() => RETRY, { lingerMs: 50 });
  const rig = createRig(destination, counting, { clock });
  rig.delivery.start();
  // All of one group, which is held back: there is nothing to be had, each time anew.
  for (let sequence = 0; sequence < 50; sequence++) {
    ledger.put([groupIdentify("acme", sequence)]);
    rig.delivery.wake();
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(questions).toBeLessThanOrEqual(3);
  await rig.delivery.stop(0);
});
