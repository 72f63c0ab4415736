/** `prickle dead drop`: forgets dead letters. */

import { Command } from "commander";
import { invocationOf } from "../invocation.ts";
import { withOperations } from "../operations.ts";
import { type ChoiceOptions, choiceOf, withChoice } from "./filter.ts";
import { lettersText } from "./letters.ts";
import { requireNamed } from "./named.ts";

export function dropCommand(): Command {
  return withChoice(new Command("drop"))
    .summary("forget dead letters")
    .description("Forgets dead letters for good: they are not delivered, and cannot be brought back.")
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle dead drop 12\n  $ prickle dead drop --destination posthog --to 2026-10-01",
    )
    .action(async (ids: readonly number[], _options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<ChoiceOptions>(command);
      const filter = choiceOf(ids, options);
      const dropped = await withOperations(configOptions, {}, async (operations) => {
        await requireNamed(operations, filter);
        return operations.dropDeadLetters(filter);
      });
      answer({ dropped }, () => `${lettersText(dropped)} forgotten.`);
    });
}
