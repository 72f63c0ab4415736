import { expect, it } from "vitest";
import { createBudget } from "../../src/core/budget.ts";
import { createManualClock } from "../fakes/clock.ts";

const NEVER = new AbortController().signal;
const SECOND = { perWindow: 4, windowMs: 1000 };

function rig(options = SECOND) {
  const clock = createManualClock(0);
  const budget = createBudget(options, clock);
  const taken: number[] = [];
  const ask = (times: number) => {
    for (let index = 0; index < times; index++) void budget.take(NEVER).then(() => taken.push(clock.now()));
  };
  const pass = async (ms: number) => {
    await clock.advance(0);
    for (let at = 0; at < ms; at += 100) await clock.advance(100);
  };
  return { clock, budget, taken, ask, pass };
}

it("lets no more than its number through in any stretch of its window, in order", async () => {
  const { ask, pass, taken } = rig();
  ask(10);
  await pass(3000);
  expect(taken).toEqual([0, 0, 0, 0, 1000, 1000, 1000, 1000, 2000, 2000]);
});

it("slides: what was taken late in one window counts early in the next", async () => {
  const { ask, pass, taken } = rig();
  await pass(800);
  ask(4);
  await pass(400);
  ask(4);
  await pass(1000);
  expect(taken).toEqual([800, 800, 800, 800, 1800, 1800, 1800, 1800]);
});

it("halves when the peer complains, and comes back by a tenth each window", async () => {
  const { budget, ask, pass, taken } = rig({ perWindow: 10, windowMs: 1000 });
  budget.slowDown();
  ask(60);
  await pass(8000);
  const perSecond = Array.from(
    { length: 7 },
    (_, second) => taken.filter((at) => Math.floor(at / 1000) === second).length,
  );
  expect(perSecond.slice(0, 2)).toEqual([5, 6]);
  expect(Math.max(...perSecond)).toBe(10);
});

it("waits out a pause, takes what the peer says of its limits, and gives up waiting when stopped", async () => {
  const { budget, ask, pass, taken, clock } = rig();
  budget.pauseUntil(2000);
  budget.adopt({ perWindow: 2, windowMs: 500 });
  ask(4);
  await pass(3000);
  expect(taken).toEqual([2000, 2000, 2500, 2500]);
  budget.pauseUntil(clock.now() + 10_000);
  const stop = new AbortController();
  const waiting = budget.take(stop.signal);
  stop.abort();
  await waiting;
});
