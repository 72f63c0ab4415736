/** `prickle runs`: what each sync read, what came of it, and why it ended. */

import { Command } from "commander";
import type { Run } from "../core/runs.ts";
import { type Colors, invocationOf, wholeNumber } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { showRun } from "./show-run.ts";
import { time } from "./show-table.ts";

export function runsCommand(): Command {
  return new Command("runs")
    .summary("the syncs there were: what each read, made, and why it ended")
    .description(
      "Shows the last syncs, newest first: the window of modification times or all rows, rows read and changed, messages made,\n" +
        "what was rejected and why, requests used, how long it took and why it ended.",
    )
    .option("--source <name>", "only those of this source")
    .option("--limit <n>", "at most this many", wholeNumber(1, 1000), 10)
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle runs\n  $ prickle runs --source hubspot --json | jq '.[0].requests'",
    )
    .action(async (_options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<{ source?: string; limit: number }>(command);
      const { source, limit } = options;
      const runs = await withOperations(configOptions, {}, (operations) => operations.runs({ source, limit }));
      answer(runs, (paint) => showRuns(runs, paint));
    });
}

function showRuns(runs: readonly Run[], paint: Colors): string {
  if (runs.length === 0) return "There were no syncs.";
  return runs.map((run) => `${paint.dim(time(run.startedAt))}  ${indented(showRun(run, paint))}`).join("\n\n");
}

function indented(text: string): string {
  return text.split("\n").join(`\n${" ".repeat("2026-11-24T00:00:00Z".length + 2)}`);
}
