/** `prickle sources`: where records come from, when they are asked for, and how the last run ended. */

import { Command } from "commander";
import type { SourceStatus } from "../core/operations.ts";
import type { Run } from "../core/runs.ts";
import { type Colors, invocationOf } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { cell, count, showTable, time } from "./show-table.ts";

export function sourcesCommand(): Command {
  return new Command("sources")
    .summary("the sources: when they are asked next, how the last run ended")
    .description(
      "Shows each source of the configuration: those that call by themselves, and those that are asked, with the rows\nknown of them, their last run and the next ones by schedule.",
    )
    .addHelpText("after", "\nExamples:\n  $ prickle sources\n  $ prickle sources --json | jq '.[].lastRun.outcome'")
    .action(async (_options, command: Command) => {
      const { configOptions, answer } = invocationOf(command);
      const sources = await withOperations(configOptions, {}, (operations) => operations.sources());
      answer(sources, (paint) => showSources(sources, paint));
    });
}

export function showSources(sources: readonly SourceStatus[], paint: Colors): string {
  const rows = sources.map(({ name, type, rows, schedule, isRunning, lastRun }) => [
    name,
    type,
    rows === null ? "" : count(rows),
    schedule ? `${schedule.cron} ${schedule.timeZone}` : rows === null ? "calls by itself" : "by hand",
    isRunning ? "now" : time(schedule?.nextRuns[0] ?? null),
    lastRun ? time(lastRun.startedAt) : "–",
    lastRun ? endOf(lastRun, isRunning, paint) : "",
  ]);
  return showTable(COLUMNS, rows, paint);
}

function endOf({ outcome, reason }: Run, isRunning: boolean, paint: Colors): string {
  if (isRunning) return "under way";
  if (outcome === "complete") return "complete";
  const text = `${outcome ?? "killed"}${reason === null ? "" : `: ${cell(reason, 80)}`}`;
  return outcome === "failed" ? paint.red(text) : paint.yellow(text);
}

const COLUMNS = [
  { name: "source" },
  { name: "type" },
  { name: "rows", align: "right" },
  { name: "asked" },
  { name: "next" },
  { name: "last run" },
  { name: "ended" },
] as const;
