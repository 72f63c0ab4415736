/** The program `prickle`: its commands, and the options all of them share. */

import { Command } from "commander";
import { VERSION } from "../platform/version.ts";
import { backfillCommand } from "./backfill.ts";
import { checkCommand } from "./check.ts";
import { deadCommand } from "./dead/dead.ts";
import { doctorCommand } from "./doctor.ts";
import { groupsCommand } from "./groups.ts";
import { keysCommand } from "./keys.ts";
import { mappingCommand } from "./mapping.ts";
import { previewCommand } from "./preview.ts";
import { rejectionsCommand } from "./rejections.ts";
import { runsCommand } from "./runs.ts";
import { schemasCommand } from "./schemas.ts";
import { serveCommand } from "./serve.ts";
import { sourcesCommand } from "./sources.ts";
import { startCommand } from "./start.ts";
import { statusCommand } from "./status.ts";
import { syncCommand } from "./sync.ts";
import { testCommand } from "./test.ts";
import { traceCommand } from "./trace.ts";
import { trendsCommand } from "./trends.ts";
import { verifyCommand } from "./verify.ts";

/** Throws CommanderError where commander would end the process. */
export function createProgram(): Command {
  const program = new Command("prickle")
    .description(
      "Keeps PostHog group analytics true: Segment calls become group identifies and events, once and in order.",
    )
    .version(VERSION, "-v, --version", "the version")
    .option("--config <file>", "configuration (default: prickle.yaml, if there is one)")
    .option("--data-dir <dir>", "data directory (default: dataDir in the configuration, .prickle)")
    .option("--json", "answer, and fail, in JSON")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => {} })
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText("after", EPILOGUE);
  const groups: readonly (readonly [string, readonly Command[]])[] = [
    ["Take in and deliver:", [startCommand(), serveCommand(), syncCommand(), backfillCommand()]],
    [
      "See what happened:",
      [
        statusCommand(),
        sourcesCommand(),
        runsCommand(),
        traceCommand(),
        deadCommand(),
        rejectionsCommand(),
        keysCommand(),
      ],
    ],
    ["See that PostHog has it:", [doctorCommand(), verifyCommand()]],
    ["Ask the engine:", [groupsCommand(), trendsCommand()]],
    ["Set up:", [checkCommand(), schemasCommand()]],
    ["Write mappings:", [testCommand(), previewCommand(), mappingCommand()]],
  ];
  for (const [heading, commands] of groups) {
    for (const command of commands) program.addCommand(inherit(command.helpGroup(heading), program));
  }
  return program;
}

const EPILOGUE = `
Examples:
  $ prickle start                                        see it work: a sample through the real doors
  $ prickle check                                        is prickle.yaml right?
  $ prickle preview --input calls.jsonl.gz --summary     what would it make of these, and what would that cost?
  $ prickle serve                                        take calls on http://127.0.0.1:4700
  $ prickle backfill 2026-10.segment.jsonl.gz            the past
  $ prickle trends --group-type company --interval week  who is active?

Commands work while \`prickle serve\` runs on the same data directory, through it, and when it does not.
Errors are one line with a code; the exit code tells which: 64 usage, 65 bad input, 66 not found, 75 try again, 78 configuration.
\`prickle COMMAND --help\` has examples of each command.`;

/** Commands made elsewhere know nothing of the program's settings. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const inner of command.commands) inherit(inner, command);
  return command;
}
