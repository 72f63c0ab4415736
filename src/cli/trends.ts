/** `prickle trends`: how many groups of a type were active, by day, week or month. */

import { Command, Option } from "commander";
import { TREND_INTERVALS, type TrendInterval, type TrendsQuery } from "../core/analytics.ts";
import { PrickleError } from "../core/errors.ts";
import type { Operations } from "../core/operations.ts";
import { invocationOf } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { showTrends } from "./show-trends.ts";

interface TrendsOptions {
  readonly groupType?: string;
  readonly event?: string;
  readonly interval: TrendInterval;
  readonly from?: string;
  readonly to?: string;
  readonly breakdown?: string;
}

export function trendsCommand(): Command {
  return new Command("trends")
    .summary("how many groups were active, by day, week or month")
    .description(
      "Counts the different groups of a type that had an event in each interval, from the embedded engine: a chart and a table.",
    )
    .option("--event <name>", "only this event (default: any event)")
    .option("--group-type <type>", "what to count (default: the first group type)")
    .addOption(new Option("--interval <interval>", "length of a point").choices(TREND_INTERVALS).default("week"))
    .option("--from <date>", "from this date or time on, UTC (default: the first event)")
    .option("--to <date>", "up to this date or time, included (default: the last event)")
    .option("--breakdown <property>", "one series for each value of this property of the event")
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle trends --group-type company\n" +
        '  $ prickle trends --event "Task Completed" --group-type project --interval month\n' +
        "  $ prickle trends --group-type company --interval day --from 2026-08-01 --to 2026-08-31 --breakdown plan",
    )
    .action(async (_options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<TrendsOptions>(command);
      const trends = await withOperations(configOptions, {}, async (operations) =>
        operations.trends(await queryOf(options, operations)),
      );
      answer(trends, (paint) => showTrends(trends, { paint, width: process.stdout.columns ?? 100 }));
    });
}

async function queryOf(
  { groupType, event, interval, from, to, breakdown }: TrendsOptions,
  operations: Pick<Operations, "groupTypes">,
): Promise<TrendsQuery> {
  return {
    groupType: groupType ?? (await firstGroupType(operations)),
    event: event ?? null,
    interval,
    from: from ?? null,
    to: to ?? null,
    breakdown: breakdown ?? null,
  };
}

async function firstGroupType(operations: Pick<Operations, "groupTypes">): Promise<string> {
  const [first] = await operations.groupTypes();
  if (first) return first.groupType;
  throw new PrickleError("NOT_FOUND", "The engine has no group types yet.", {
    hint: "They come with the first group call: `prickle status` shows whether any was taken.",
  });
}
