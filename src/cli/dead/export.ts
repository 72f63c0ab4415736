/** `prickle dead export`: dead letters as lines of JSON, page by page. */

import { once } from "node:events";
import { Command } from "commander";
import type { DeadLetter, DeadLetterFilter } from "../../core/dead-letter.ts";
import type { Operations } from "../../core/operations.ts";
import { invocationOf, wholeNumber } from "../invocation.ts";
import { withOperations } from "../operations.ts";
import { type FilterOptions, filterOf, withFilter } from "./filter.ts";
import { pagesOf } from "./letters.ts";
import { requireNamed } from "./named.ts";

export function exportCommand(): Command {
  return withFilter(new Command("export"))
    .summary("dead letters as lines of JSON")
    .description(
      "Writes a line of JSON for each dead letter: with the message as it was to be delivered, and the answer.",
    )
    .option("--limit <n>", "at most this many, the oldest first", wholeNumber(1))
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle dead export > dead.jsonl\n" +
        '  $ prickle dead export --reason "answered 413" | jq -r .payload.distinct_id | sort | uniq -c',
    )
    .action(async (_options, command: Command) => {
      const { configOptions, options } = invocationOf<FilterOptions>(command);
      await withOperations(configOptions, {}, (operations) => write(operations, filterOf(options)));
    });
}

async function write(operations: Operations, filter: DeadLetterFilter): Promise<void> {
  await requireNamed(operations, filter);
  for await (const letters of pagesOf(operations, filter)) {
    const isRead = process.stdout.write(letters.map(lineOf).join(""));
    if (!isRead) await once(process.stdout, "drain");
  }
}

/** The payload last, and byte for byte: numbers that JavaScript would round stay as they are. */
function lineOf({ body, ...letter }: DeadLetter): string {
  return `${JSON.stringify(letter).slice(0, -1)},"payload":${isJson(body) ? body : JSON.stringify(body)}}\n`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
