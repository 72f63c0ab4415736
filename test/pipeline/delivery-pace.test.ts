import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { DestinationLimits } from "../../src/core/destination.ts";
import { createPaces } from "../../src/pipeline/delivery-pace.ts";
import { createManualClock } from "../fakes/clock.ts";

const limits: DestinationLimits = {
  maxMessages: 500,
  maxBytes: 1_000_000,
  concurrency: 100,
  messagesPerSecond: null,
  requestsPerSecond: null,
  lingerMs: 0,
};

// p-queue keeps time by itself.
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each([
  [10, 1000, 10],
  [2.5, 1200, 3],
  [0.5, 2000, 1],
])("starts at most %s requests per second in any window", async (requestsPerSecond, windowMs, perWindow) => {
  const pace = createPaces({ ...limits, requestsPerSecond }, createManualClock()).live;
  const startedAt: number[] = [];
  for (let request = 0; request < 4 * perWindow; request++) void pace.run(async () => void startedAt.push(Date.now()));
  await vi.advanceTimersByTimeAsync(5 * windowMs);
  expect(startedAt).toHaveLength(4 * perWindow);
  for (const [index, at] of startedAt.entries()) {
    const later = startedAt[index + perWindow];
    if (later !== undefined) expect(later - at).toBeGreaterThanOrEqual(windowMs);
  }
});

it("keeps no more requests in flight than allowed", async () => {
  const pace = createPaces({ ...limits, concurrency: 3 }, createManualClock()).live;
  let started = 0;
  const open = Promise.withResolvers<void>();
  const requests = Array.from({ length: 5 }, () =>
    pace.run(() => {
      started += 1;
      return open.promise;
    }),
  );
  await vi.advanceTimersByTimeAsync(10);
  expect(started).toBe(3);
  open.resolve();
  await Promise.all(requests);
  expect(started).toBe(5);
});

it("claims no more than a second's worth at once", () => {
  const most = (messagesPerSecond: number) => createPaces({ ...limits, messagesPerSecond }, createManualClock()).live;
  expect(most(20).maxMessages).toBe(20);
  expect(most(0.2).maxMessages).toBe(1);
  expect(most(5000).maxMessages).toBe(500);
});

it("waits for the latest of pause, rate and what it lingers", () => {
  const clock = createManualClock();
  const { live } = createPaces({ ...limits, messagesPerSecond: 100, lingerMs: 50 }, clock);
  live.linger();
  expect(live.readyAt()).toBe(clock.now() + 50);
  live.pauseUntil(clock.now() + 2000, true);
  expect(live.readyAt()).toBe(clock.now() + 2000);
  live.count(300);
  expect(live.readyAt()).toBe(clock.now() + 3000);
});

it("counts what is live and what is history each against a rate of its own", () => {
  const clock = createManualClock();
  const { live, historical } = createPaces(
    { ...limits, messagesPerSecond: 100, historical: { messagesPerSecond: 10 } },
    clock,
  );
  expect([live.maxMessages, historical.maxMessages]).toEqual([100, 10]);
  historical.count(10);
  expect(historical.readyAt()).toBe(clock.now() + 1000);
  expect(live.readyAt()).toBeLessThanOrEqual(clock.now());
});

it("holds history back with what is live, and what is live only when all is to wait", () => {
  const clock = createManualClock();
  const { live, historical } = createPaces(limits, clock);
  historical.pauseUntil(clock.now() + 1000, false);
  expect([live.readyAt(), historical.readyAt()]).toEqual([0, clock.now() + 1000]);
  live.pauseUntil(clock.now() + 2000, false);
  expect([live.readyAt(), historical.readyAt()]).toEqual([clock.now() + 2000, clock.now() + 2000]);
  historical.pauseUntil(clock.now() + 3000, true);
  expect([live.readyAt(), historical.readyAt()]).toEqual([clock.now() + 3000, clock.now() + 3000]);
});

it("lets a live request go before one of history that waits longer", async () => {
  const { live, historical } = createPaces({ ...limits, concurrency: 2 }, createManualClock());
  const started: string[] = [];
  const open = Promise.withResolvers<void>();
  const request = (name: string) => () => {
    started.push(name);
    return open.promise;
  };
  const all = [live.run(request("new 1")), live.run(request("new 2")), historical.run(request("old"))];
  await vi.advanceTimersByTimeAsync(10);
  all.push(live.run(request("new 3")));
  open.resolve();
  await Promise.all(all);
  expect(started).toEqual(["new 1", "new 2", "new 3", "old"]);
});

it("leaves a place for a live request while history fills all others", async () => {
  const { live, historical } = createPaces({ ...limits, concurrency: 3 }, createManualClock());
  const started: string[] = [];
  const open = Promise.withResolvers<void>();
  const request = (name: string) => () => {
    started.push(name);
    return open.promise;
  };
  const all = ["old 1", "old 2", "old 3"].map((name) => historical.run(request(name)));
  all.push(...["new 1", "new 2"].map((name) => live.run(request(name))));
  await vi.advanceTimersByTimeAsync(10);
  expect(started).toEqual(["old 1", "old 2", "new 1"]);
  open.resolve();
  await Promise.all(all);
  expect(started.slice(3)).toEqual(["new 2", "old 3"]);
});
