/** `prickle rejections`: the calls that made no message, and why. */

import { Command } from "commander";
import type { KeptRejection } from "../core/ledger.ts";
import { type Colors, invocationOf, wholeNumber } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { cell, count, showTable, time } from "./show-table.ts";

export function rejectionsCommand(): Command {
  return new Command("rejections")
    .summary("calls that made no message, and why")
    .description(
      "Lists what sources sent and prickle could not use, newest first. --json has the calls themselves, of very large ones the beginning.",
    )
    .option("--limit <n>", "at most this many", wholeNumber(1, 10_000), 20)
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle rejections\n  $ prickle rejections --limit 1000 --json | jq '.[].payload'",
    )
    .action(async (_options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<{ limit: number }>(command);
      const { limit } = options;
      const rejections = await withOperations(configOptions, {}, (operations) => operations.listRejections({ limit }));
      answer(rejections, (paint) => showRejections(rejections, paint));
    });
}

function showRejections(rejections: readonly KeptRejection[], paint: Colors): string {
  if (rejections.length === 0) return "Nothing was rejected.";
  const rows = rejections.map(({ id, source, reason, detail, recordId, receivedAt }) => [
    count(id),
    time(receivedAt),
    source,
    reason,
    cell(recordId, 40),
    cell(detail, 100),
  ]);
  return showTable(COLUMNS, rows, paint);
}

const COLUMNS = [
  { name: "id", align: "right" },
  { name: "received" },
  { name: "source" },
  { name: "reason" },
  { name: "record" },
  { name: "detail" },
] as const;
