import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { DestinationLimits } from "../../src/core/destination.ts";
import { createPace } from "../../src/pipeline/delivery-pace.ts";
import { createManualClock } from "../fakes/clock.ts";

const limits: DestinationLimits = {
  maxMessages: 500,
  maxBytes: 1_000_000,
  concurrency: 100,
  messagesPerSecond: null,
  requestsPerSecond: null,
  lingerMs: 0,
};
const unsignalled = new AbortController().signal;

// p-queue keeps time by itself.
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each([
  [10, 1000, 10],
  [2.5, 1200, 3],
  [0.5, 2000, 1],
])("starts at most %s requests per second in any window", async (requestsPerSecond, windowMs, perWindow) => {
  const pace = createPace({ ...limits, requestsPerSecond }, createManualClock());
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
  const pace = createPace({ ...limits, concurrency: 3 }, createManualClock());
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
  expect(createPace({ ...limits, messagesPerSecond: 20 }, createManualClock()).maxMessages).toBe(20);
  expect(createPace({ ...limits, messagesPerSecond: 0.2 }, createManualClock()).maxMessages).toBe(1);
  expect(createPace({ ...limits, messagesPerSecond: 5000 }, createManualClock()).maxMessages).toBe(500);
});

it("waits for the later of pause and rate", async () => {
  const clock = createManualClock();
  const pace = createPace({ ...limits, messagesPerSecond: 100 }, clock);
  let isReady = false;
  pace.count(300);
  pace.pauseUntil(clock.now() + 2000);
  const ready = pace.ready(unsignalled).then(() => {
    isReady = true;
  });
  vi.useRealTimers();
  await clock.advance(2999);
  expect(isReady).toBe(false);
  await clock.advance(1);
  await ready;
});
