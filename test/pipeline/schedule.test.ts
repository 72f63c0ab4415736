import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PrickleError } from "../../src/core/errors.ts";
import { nextRuns, runSchedule, type ScheduledSource, type Timetable } from "../../src/pipeline/schedule.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createManualClock, type ManualClock } from "../fakes/clock.ts";

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 10, 1, 0, 30);
const HOURLY: Timetable = { cron: "0 * * * *", timeZone: "UTC", jitterMs: 0, missed: "run" };

let clock: ManualClock;
let stop: AbortController;
let began: number[];
let schedules: Promise<void>[];

beforeEach(() => {
  clock = createManualClock(START);
  stop = new AbortController();
  began = [];
  schedules = [];
});
afterEach(async () => {
  stop.abort();
  await Promise.all(schedules);
});

function begin(more: Partial<ScheduledSource> = {}, random = 0): void {
  const source: ScheduledSource = {
    source: "crm",
    timetable: HOURLY,
    lastRun: async () => ({ startedAt: START - 60_000, isComplete: true }),
    run: async () => {
      began.push(clock.now());
      return null;
    },
    ...more,
  };
  const parts = { clock, random: () => random, logger: createLogger("silent") };
  schedules.push(runSchedule([source], parts, stop.signal));
}

async function pass(hours: number): Promise<void> {
  await clock.advance(0);
  for (let minute = 0; minute < hours * 60; minute += 5) await clock.advance(5 * 60_000);
}

describe("a schedule", () => {
  it("begins a run when it is due, and the next when that is over and due", async () => {
    begin();
    await pass(3);
    expect(began).toEqual([1, 2, 3].map((hour) => Date.UTC(2026, 10, 1, hour)));
  });

  it("begins none while one is under way", async () => {
    let end = () => undefined as unknown;
    begin({
      run: () => {
        began.push(clock.now());
        return new Promise((resolve) => {
          end = () => resolve(null);
        });
      },
    });
    await pass(4);
    expect(began).toEqual([Date.UTC(2026, 10, 1, 1)]);
    end();
    await pass(1);
    expect(began).toEqual([1, 5].map((hour) => Date.UTC(2026, 10, 1, hour)));
    end();
  });

  it("puts off each run by a share of the jitter", async () => {
    begin({ timetable: { ...HOURLY, jitterMs: 40 * 60_000 } }, 0.5);
    await pass(2);
    expect(began).toEqual([Date.UTC(2026, 10, 1, 1, 20), Date.UTC(2026, 10, 1, 2, 20)]);
  });

  it("makes up for a run that was missed, or not, as it is told", async () => {
    const lastRun = async () => ({ startedAt: START - 5 * HOUR_MS, isComplete: true });
    begin({ lastRun });
    await clock.advance(0);
    expect(began).toEqual([START]);
    begin({ lastRun, timetable: { ...HOURLY, missed: "skip" } });
    await clock.advance(0);
    expect(began).toHaveLength(1);
  });

  it("begins at once where there never was a run, or the last was interrupted", async () => {
    begin({ lastRun: async () => null });
    begin({ lastRun: async () => ({ startedAt: START - 1, isComplete: false }) });
    await clock.advance(0);
    expect(began).toEqual([START, START]);
  });

  it("tries again soon after what may pass, as late as it was asked to, and not after what has to be mended", async () => {
    const failures = [
      new PrickleError("SOURCE_UNAVAILABLE", "down"),
      new PrickleError("SOURCE_LIMITED", "spent", { retryAfterMs: 20 * 60_000 }),
      new PrickleError("SOURCE_REFUSED", "no"),
    ];
    begin({
      lastRun: async () => null,
      run: async () => {
        began.push(clock.now());
        return failures.shift() ?? null;
      },
    });
    await pass(1);
    expect(began.map((at) => (at - START) / 60_000)).toEqual([0, 5, 25, 30]);
  });

  it("goes on after a run that throws", async () => {
    begin({
      run: async () => {
        began.push(clock.now());
        throw new Error("a bug");
      },
    });
    await pass(2);
    expect(began).toHaveLength(2);
  });

  it("stops at once, also before a run that is far away", async () => {
    begin({ timetable: { ...HOURLY, cron: "0 0 1 1 *" } });
    await clock.advance(0);
    stop.abort();
    await Promise.all(schedules);
    expect(began).toEqual([]);
  });
});

it("means its times in its zone, over the changes of summer time", () => {
  const berlin = { ...HOURLY, cron: "30 2 * * *", timeZone: "Europe/Berlin" };
  const times = nextRuns(berlin, Date.UTC(2026, 9, 23, 12), 4).map((at) => new Date(at).toISOString());
  expect(times).toEqual([
    "2026-10-24T00:30:00.000Z",
    "2026-10-25T00:30:00.000Z",
    "2026-10-26T01:30:00.000Z",
    "2026-10-27T01:30:00.000Z",
  ]);
});
