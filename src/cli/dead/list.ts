/** `prickle dead list`: the dead letters, with their reasons. */

import { Command } from "commander";
import type { DeadLetter } from "../../core/dead-letter.ts";
import { type Colors, invocationOf, wholeNumber } from "../invocation.ts";
import { withOperations } from "../operations.ts";
import { cell, count, showTable, time } from "../show-table.ts";
import { type FilterOptions, filterOf, withFilter } from "./filter.ts";
import { eventOf } from "./letters.ts";

export function listCommand(): Command {
  return withFilter(new Command("list"))
    .summary("the dead letters, with their reasons")
    .option("--limit <n>", "at most this many, the oldest first", wholeNumber(1, 10_000), 20)
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle dead list\n  $ prickle dead list --group company/acme --from 2026-11-01\n" +
        "  $ prickle dead list --destination posthog --json | jq '.[].reason'",
    )
    .action(async (_options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<FilterOptions>(command);
      const filter = filterOf(options);
      const letters = await withOperations(configOptions, {}, (operations) => operations.listDeadLetters(filter));
      answer(letters, (paint) => showList(letters, paint));
    });
}

function showList(found: readonly DeadLetter[], paint: Colors): string {
  if (found.length === 0) return "There are no such dead letters.";
  const rows = found.map(({ id, destination, diedAt, attempts, reason, body }) => [
    `${id}`,
    destination,
    time(diedAt),
    count(attempts),
    cell(eventOf(body), 24),
    cell(reason, 90),
  ]);
  return showTable(COLUMNS, rows, paint);
}

const COLUMNS = [
  { name: "id", align: "right" },
  { name: "destination" },
  { name: "given up" },
  { name: "attempts", align: "right" },
  { name: "event" },
  { name: "reason" },
] as const;
