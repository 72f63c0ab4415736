/** Begins syncs when they are due: each source by its own cron expression, never two of one source at a time. */

import { Cron } from "croner";
import type { Clock } from "../core/clock.ts";
import { type PrickleError, toPrickleError } from "../core/errors.ts";
import type { Logger } from "../core/observer.ts";

export interface Timetable {
  readonly cron: string;
  readonly timeZone: string;
  /** Each run begins up to this much later. */
  readonly jitterMs: number;
  /** What becomes of a run that was due while prickle was not running. */
  readonly missed: "run" | "skip";
}

export interface ScheduledSource {
  readonly source: string;
  readonly timetable: Timetable;
  /** When its last run began, ms UTC, and whether it got to its end; null: it never ran. */
  readonly lastRun: () => Promise<{ readonly startedAt: number; readonly isComplete: boolean } | null>;
  /** Resolves when the run is over, to why it did not get to its end if it did not. */
  readonly run: (signal: AbortSignal) => Promise<PrickleError | null>;
}

export interface ScheduleDependencies {
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** A source that failed in passing is asked again after this time, if its next run is not due before. */
const RETRY_MS = 5 * 60_000;
/** Timers do not reach further than 24 days. */
const LONGEST_SLEEP_MS = 3_600_000;

/** The next times after `from`, ms UTC; none when the expression never comes true again. */
export function nextRuns({ cron, timeZone }: Timetable, from: number, count: number): readonly number[] {
  return new Cron(cron, { timezone: timeZone, paused: true }).nextRuns(count, new Date(from)).map(Number);
}

/** Runs until `signal` aborts; resolves when no run is under way any more. Never rejects. */
export async function runSchedule(
  sources: readonly ScheduledSource[],
  dependencies: ScheduleDependencies,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(sources.map((source) => runOne(source, dependencies, signal)));
}

async function runOne(scheduled: ScheduledSource, dependencies: ScheduleDependencies, signal: AbortSignal) {
  const { source, timetable, run } = scheduled;
  const { clock, random, logger } = dependencies;
  let dueAt = await firstDueAt(scheduled, dependencies);
  while (!signal.aborted && dueAt !== null) {
    await sleepUntil(dueAt + random() * timetable.jitterMs, clock, signal);
    if (signal.aborted) return;
    const failure = await run(signal).catch(toPrickleError);
    const [next = null] = nextRuns(timetable, clock.now(), 1);
    dueAt = next;
    if (!failure) continue;
    logger.warn({ source, error: failure }, "A sync did not get to its end");
    if (failure.retryable && next !== null) dueAt = Math.min(next, clock.now() + (failure.retryAfterMs ?? RETRY_MS));
  }
}

/** At once, when it was interrupted, never ran, or was missed. */
async function firstDueAt(
  { source, timetable, lastRun }: ScheduledSource,
  { clock, logger }: ScheduleDependencies,
): Promise<number | null> {
  const now = clock.now();
  const last = await lastRun().catch((thrown: unknown) => {
    logger.warn({ source, error: toPrickleError(thrown) }, "It is not known when the source was synced last");
    return null;
  });
  if (!last?.isComplete) return now;
  const [due] = nextRuns(timetable, last.startedAt, 1);
  if (due !== undefined && due <= now && timetable.missed === "run") return now;
  return nextRuns(timetable, now, 1)[0] ?? null;
}

async function sleepUntil(at: number, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && clock.now() < at) {
    await clock.sleep(Math.min(LONGEST_SLEEP_MS, at - clock.now()), signal);
  }
}
