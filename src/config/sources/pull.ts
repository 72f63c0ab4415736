/** What all sources that are asked have in the configuration: when they are, and what one run may make. */

import { Cron } from "croner";
import * as z from "zod";
import { duration } from "../duration.ts";

const TIME_ZONES = new Set(Intl.supportedValuesOf("timeZone"));

export const schedule = z.strictObject({
  cron: z
    .string()
    .refine(isCron)
    .describe('a cron expression of five fields, or six with seconds before them, such as "*/15 * * * *"'),
  timeZone: z
    .string()
    .refine((name) => name === "UTC" || TIME_ZONES.has(name))
    .default("UTC")
    .describe("a time zone such as Europe/Berlin, in which the expression is meant"),
  jitter: duration({ from: "0s", to: "1h" })
    .prefault("0s")
    .describe("a duration from 0s to 1h: each run begins up to this much later, so that not all begin at once"),
  missed: z
    .enum(["run", "skip"])
    .default("run")
    .describe("run or skip: what becomes of a run that was due while prickle was not running"),
});

/** What the source itself needs goes beside it. */
export const pulled = {
  maxEventsPerRun: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .nullable()
    .default(null)
    .describe("a whole number from 1, or null: a run stops before it makes more messages, and the next goes on"),
  schedule: schedule.optional().describe("when it is synced by itself; without it only by `prickle sync`"),
  fullEvery: duration({ from: "1h", to: "365d" })
    .prefault("7d")
    .describe("a duration from 1h to 365d: how often all rows are read, since not every change can be asked for"),
  removedEvery: duration({ from: "5m", to: "365d" })
    .prefault("1d")
    .describe("a duration from 5m to 365d: how often removed rows are asked for"),
};

export function mapped(shipped: string) {
  return z.string().min(1).default(shipped).describe("the name of a shipped mapping, or a path from this file");
}

function isCron(expression: string): boolean {
  try {
    return new Cron(expression, { paused: true }).nextRun() !== null;
  } catch {
    return false;
  }
}
