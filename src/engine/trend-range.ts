/** The range of a trend and the intervals in it, UTC. An interval is named by the day it starts on, in days since 1970. */

import type { TrendInterval } from "../core/analytics.ts";
import { PrickleError } from "../core/errors.ts";
import { DAY_MS, readInstant } from "./instant.ts";

/** Points of one series: 27 years of days. */
const MAX_POINTS = 10_000;
const SUNDAY_BEFORE_1970 = -4;

export interface TrendRange {
  /** ms UTC, both inclusive. */
  readonly first: number;
  readonly last: number;
}

/**
 * A bound as ms UTC; null if there is none. A date as `to` means its whole day.
 * @throws INPUT_INVALID
 */
export function readBound(name: "from" | "to", text: string | null): number | null {
  if (text === null) return null;
  const instant = readInstant(text);
  if (instant) return name === "to" && instant.isDate ? instant.ms + DAY_MS - 1 : instant.ms;
  throw new PrickleError("INPUT_INVALID", `${name}: found ${JSON.stringify(text.slice(0, 60))}`, {
    hint: "It is a date such as 2026-03-31, or a time such as 2026-03-31T12:00:00Z; without a zone it is UTC.",
  });
}

/** Every interval that the range touches. @throws INPUT_INVALID when that is too many to answer. */
export function intervalsIn({ first, last }: TrendRange, interval: TrendInterval): readonly number[] {
  const starts: number[] = [];
  const end = Math.floor(last / DAY_MS);
  for (let day = startOf(Math.floor(first / DAY_MS), interval); day <= end; day = next(day, interval)) {
    if (starts.length === MAX_POINTS) throw tooManyPoints(interval);
    starts.push(day);
  }
  return starts;
}

/** As a date. */
export function nameOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

function startOf(day: number, interval: TrendInterval): number {
  switch (interval) {
    case "day":
      return day;
    case "week":
      return day - ((((day - SUNDAY_BEFORE_1970) % 7) + 7) % 7);
    case "month":
      return day - new Date(day * DAY_MS).getUTCDate() + 1;
  }
}

function next(start: number, interval: TrendInterval): number {
  switch (interval) {
    case "day":
      return start + 1;
    case "week":
      return start + 7;
    case "month":
      // 31 days from the first of a month lie in the next, whatever its length.
      return startOf(start + 31, "month");
  }
}

function tooManyPoints(interval: TrendInterval): PrickleError {
  return new PrickleError("INPUT_INVALID", `The range has more than ${MAX_POINTS} points by ${interval}`, {
    hint: "Give from and to, or a longer interval. A single event with a wrong date can stretch the range.",
  });
}
