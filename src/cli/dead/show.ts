/** `prickle dead show`: one dead letter with its message and what was answered. */

import { Command } from "commander";
import type { ConfigOptions } from "../../config.ts";
import type { DeadLetter } from "../../core/dead-letter.ts";
import { type Colors, invocationOf, wholeNumber } from "../invocation.ts";
import { withOperations } from "../operations.ts";
import { cell, count, time } from "../show-table.ts";
import { messageOf } from "./letters.ts";
import { noSuchLetters } from "./named.ts";

export function showCommand(): Command {
  return new Command("show")
    .argument("<id>", "number in the list", wholeNumber(1))
    .summary("one dead letter: its message, and what was answered")
    .option("--payload", "only the message, byte for byte as it was to be delivered")
    .addHelpText("after", "\nExamples:\n  $ prickle dead show 12\n  $ prickle dead show 12 --payload > 12.json")
    .action(async (id: number, _options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<{ readonly payload?: boolean }>(command);
      const letter = await letterOf(id, configOptions);
      if (options.payload) process.stdout.write(`${letter.body}\n`);
      else answer(letter, (paint) => showLetter(letter, paint));
    });
}

async function letterOf(id: number, configOptions: ConfigOptions): Promise<DeadLetter> {
  const [letter] = await withOperations(configOptions, {}, (operations) => operations.listDeadLetters({ ids: [id] }));
  if (letter) return letter;
  throw noSuchLetters([id]);
}

function showLetter(letter: DeadLetter, paint: Colors): string {
  const rows = [
    ["destination", letter.destination],
    ["reason", letter.reason],
    ["attempts", `${count(letter.attempts)}, from ${time(letter.firstAttemptAt)} to ${time(letter.diedAt)}`],
    ["lane", `${letter.lane}`],
    ["uuid", `${letter.uuid}, see prickle trace`],
  ].map(([name = "", text = ""]) => `${paint.dim(name.padEnd(12))}${cell(text, Number.POSITIVE_INFINITY)}`);
  return [...rows, "", JSON.stringify(messageOf(letter.body), null, 2)].join("\n");
}
