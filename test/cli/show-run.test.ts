import pc from "picocolors";
import { expect, it } from "vitest";
import { showRun } from "../../src/cli/show-run.ts";
import { showSources } from "../../src/cli/sources.ts";
import { timeArgument } from "../../src/cli/time-argument.ts";
import type { SourceStatus } from "../../src/core/operations.ts";
import { EMPTY_RUN, type Run } from "../../src/core/runs.ts";

const paint = pc.createColors(false);
const AT = Date.UTC(2026, 10, 24, 12);

function run(more: Partial<Run> = {}): Run {
  return { ...EMPTY_RUN, source: "crm", kind: "changes", startedAt: AT, endedAt: AT + 65_000, ...more };
}

it("tells of a run its window, what was read, changed, gone, made and rejected, requests, time and warnings", () => {
  const text = showRun(
    run({
      window: { from: AT - 600_000, to: AT - 60_000 },
      read: 1_200,
      changed: 30,
      removed: 2,
      messages: 25,
      saved: 7,
      rejected: { no_rule: 3, broken_row: 1 },
      requests: 14,
      warnings: ["a property changed its type"],
      outcome: "complete",
    }),
    paint,
  );
  expect(text.split("\n")).toEqual([
    "crm, what changed from 2026-11-24T11:50:00Z to 2026-11-24T11:59:00Z: 1,200 rows read, 30 say something new, 2 gone",
    "25 messages · 7 rows changed nothing that is sent · 4 rejected · 14 requests in 1m 05s",
    "rejected: no_rule 3, broken_row 1; `prickle rejections` shows them",
    "warning: a property changed its type",
  ]);
});

it("tells why a run did not get to its end, and whether the next one goes on", () => {
  const last = (more: Partial<Run>) =>
    showRun(run({ kind: "full", ...more }), paint)
      .split("\n")
      .at(-1);
  expect(last({ outcome: "partial", reason: "Acme is down" })).toBe(
    "It did not get to its end: Acme is down. Nothing is lost: the next run goes on.",
  );
  expect(last({ outcome: "failed", reason: "a scope is missing" })).toBe("It failed: a scope is missing");
  expect(last({ outcome: null, endedAt: null })).toBe("It is under way, or prickle was killed in it.");
});

it("lists sources with their rows, when each is asked next, and how its last run ended", () => {
  const source = { mapping: "m.yaml", lastCompleteAt: null, isRunning: false };
  const schedule = { cron: "*/5 * * * *", timeZone: "UTC", nextRuns: [AT + 300_000] };
  const sources: SourceStatus[] = [
    { ...source, name: "web", type: "segment", schedule: null, lastRun: null, rows: null },
    { ...source, name: "crm", type: "hubspot", schedule, lastRun: run({ outcome: "complete" }), rows: 4_321 },
    { ...source, name: "shop", type: "sql", schedule: null, lastRun: run(), rows: 0 },
    { ...source, name: "busy", type: "attio", schedule, isRunning: true, lastRun: run(), rows: 9 },
  ];
  const lines = showSources(sources, paint).split("\n").slice(1);
  expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
    ["web", "segment", "calls by itself", "–", "–"],
    ["crm", "hubspot", "4,321", "*/5 * * * * UTC", "2026-11-24T12:05:00Z", "2026-11-24T12:00:00Z", "complete"],
    ["shop", "sql", "0", "by hand", "–", "2026-11-24T12:00:00Z", "killed"],
    ["busy", "attio", "9", "*/5 * * * * UTC", "now", "2026-11-24T12:00:00Z", "under way"],
  ]);
});

it("reads a time as people write it, in UTC, and refuses what is none with what is allowed", () => {
  expect(timeArgument("2026-11-24")).toBe(Date.UTC(2026, 10, 24));
  expect(timeArgument("2026-11-24T13:00+01:00")).toBe(AT);
  expect(() => timeArgument("yesterday")).toThrow(/"yesterday"; a time such as 2026-11-01/);
});
