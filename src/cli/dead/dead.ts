/** `prickle dead`: messages given up. Look at them, mend them, try them again, or forget them. */

import { Command } from "commander";
import { dropCommand } from "./drop.ts";
import { exportCommand } from "./export.ts";
import { listCommand } from "./list.ts";
import { replayCommand } from "./replay.ts";
import { showCommand } from "./show.ts";

export function deadCommand(): Command {
  return new Command("dead")
    .summary("messages given up: list, show, replay, export, drop")
    .description(
      "Dead letters are messages that a destination refused for good, kept with the reason until you decide, or until\n" +
        "ledger.deadLetterDays are over.",
    )
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(replayCommand())
    .addCommand(exportCommand())
    .addCommand(dropCommand())
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle dead list\n  $ prickle dead show 12\n  $ prickle dead replay 12 13\n" +
        '  $ prickle dead replay --reason "answered 413" --rate 50/s\n  $ prickle dead export > dead.jsonl\n' +
        "  $ prickle dead drop --all",
    );
}
