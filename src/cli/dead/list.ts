/** `prickle dead list`: the dead letters, with their reasons. */

import { Command } from "commander";
import type { DeadLetter, DeadLetterFilter } from "../../core/dead-letter.ts";
import type { Operations } from "../../core/operations.ts";
import { type Colors, invocationOf, wholeNumber } from "../invocation.ts";
import { withOperations } from "../operations.ts";
import { cell, count, showTable, time } from "../show-table.ts";
import { type FilterOptions, filterOf, withFilter } from "./filter.ts";
import { eventOf } from "./letters.ts";
import { requireNamed } from "./named.ts";

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
      const { configOptions, options, json, answer } = invocationOf<FilterOptions>(command);
      const { letters, total } = await withOperations(configOptions, {}, (operations) =>
        listed(operations, filterOf(options), json),
      );
      answer(letters, (paint) => showList(letters, total, paint));
    });
}

/** `total`: how many there are without the limit; only people are told, and only they wait for it. */
async function listed(operations: Operations, filter: DeadLetterFilter, json: boolean) {
  const { limit, ...chosen } = filter;
  await requireNamed(operations, filter);
  const letters = await operations.listDeadLetters(filter);
  const mayBeMore = !json && letters.length === limit;
  return { letters, total: mayBeMore ? await operations.countDeadLetters(chosen) : letters.length };
}

function showList(found: readonly DeadLetter[], total: number, paint: Colors): string {
  if (found.length === 0) return "There are no such dead letters.";
  const rows = found.map(({ id, destination, diedAt, attempts, reason, body }) => [
    `${id}`,
    destination,
    time(diedAt),
    count(attempts),
    cell(eventOf(body), 24),
    cell(reason, 90),
  ]);
  const table = showTable(COLUMNS, rows, paint);
  return total > found.length ? `${table}\n\n${count(found.length)} of ${count(total)}; --limit shows more.` : table;
}

const COLUMNS = [
  { name: "id", align: "right" },
  { name: "destination" },
  { name: "given up" },
  { name: "attempts", align: "right" },
  { name: "event" },
  { name: "reason" },
] as const;
