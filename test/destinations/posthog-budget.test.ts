/** How often PostHog's private API may be asked, whoever asks. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { createBudgets, createRequestBudget } from "../../src/destinations/posthog/private-api/budget.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

it("lets no more than 480 requests go in any minute, and 4,800 in any hour, but all of those", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 20 }), (pauses) => {
      let now = 0;
      const budget = createRequestBudget(() => now);
      const taken: number[] = [];
      for (let turn = 0; taken.length < 10_000; turn++) {
        const afterMs = budget.take();
        if (afterMs === 0) taken.push(now);
        now += afterMs > 0 ? afterMs : (pauses[turn % pauses.length] ?? 0);
      }
      for (const [index, at] of taken.entries()) {
        const [minute, hour] = [taken[index - 480], taken[index - 4800]];
        if (minute !== undefined) expect(at - minute).toBeGreaterThanOrEqual(MINUTE_MS);
        if (hour !== undefined) expect(at - hour).toBeGreaterThanOrEqual(HOUR_MS);
      }
      // Whoever asks as soon as he may has two hours' worth in little more than two.
      expect(taken[9_599]).toBeLessThan(2 * HOUR_MS + 9_600 * 200);
    }),
    { numRuns: 10 },
  );
});

it("pauses as long as it is told to, and is one for a project", () => {
  let now = 0;
  const of = createBudgets(() => now);
  of("a").hold(1000);
  expect([of("a").take(), of("b").take()]).toEqual([1000, 0]);
  now = 1000;
  expect(of("a").take()).toBe(0);
  for (let n = 1; n < 480; n++) expect(of("a").take()).toBe(0);
  expect([of("a").take(), of("b").take()]).toEqual([MINUTE_MS, 0]);
});
