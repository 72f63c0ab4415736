/** Runs the command line: `node src/cli/main.ts COMMAND`, or `prickle COMMAND` when installed. */

import { runCommandLine } from "./run.ts";

await runCommandLine(process.argv.slice(2));
