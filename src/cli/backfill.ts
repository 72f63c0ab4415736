/** `prickle backfill PATH…`: reads files of the past into the ledger and waits until they are delivered. */

import { Command, Option } from "commander";
import type { ConfigOptions } from "../config.ts";
import { ERRORS } from "../core/errors.ts";
import type { BackfillProgress, BackfillSummary } from "../core/operations.ts";
import { createBackfillProgress } from "./backfill-progress.ts";
import { type BackfillOptions, requestOf } from "./backfill-request.ts";
import { showDryRun, showSummary } from "./backfill-summary.ts";
import { invocationOf, price, wholeNumber } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { costOf } from "./show-rehearsal.ts";
import { STDIN, withStdin } from "./stdin-file.ts";
import { stopSignal } from "./stop-signal.ts";

export function backfillCommand(): Command {
  return new Command("backfill")
    .argument("<path...>", "files and folders; - is standard input")
    .summary("read files of the past; resumes where it was stopped")
    .description(
      "Reads Segment raw logs, exports of HubSpot and Salesforce, and tables: JSON lines, CSV, TSV and Parquet, plain, gzip, zstd or zip,\n" +
        "recognised by their bytes, and delivers what they become.\n" +
        "Stopped or killed, the same command goes on from its checkpoints; a file that was read before changes nothing.\n" +
        "Who belonged to which group is read first, so that the order of the files does not matter.",
    )
    .option("--source <name>", "source whose mapping reads them (default: the only one there is)")
    .addOption(new Option("--mapping <name>", "a shipped mapping or a path, without a source").conflicts("source"))
    .option("--as <form>", "what a row is: segment, hubspot, salesforce or rows (default: as the first looks)")
    .option("--id-column <name>", "column that has a row's id")
    .option("--time-column <name>", "column that has the time a row was true at")
    .option("--zone <name>", "zone of times that name none, such as Europe/Berlin (default: UTC)")
    .option("--encoding <name>", "utf-8, utf-16le, utf-16be or windows-1252 (default: as the bytes look)")
    .option("--from <time>", "leave out what happened before: a date or an ISO 8601 time")
    .option("--to <time>", "leave out what happened then or later")
    .option("--in-order", "the files are in the order of time: read them once")
    .option("--dry-run", "keep and send nothing; say what it would come to")
    .option("--rate <n/s>", "take in at most so many records a second")
    .option("--max-events <n>", "stop before more messages are made; the next run goes on", wholeNumber(1))
    .option("--price <amount>", "what one event costs you: a dry run says what it comes to", price)
    .option("--no-wait", "leave when all is on disk")
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle backfill 2026-10.segment.jsonl.gz\n  $ prickle backfill segment-logs/ --from 2026-01-01 --no-wait\n" +
        "  $ prickle backfill all-companies.zip --mapping hubspot --zone Europe/Berlin --dry-run\n" +
        "  $ prickle backfill accounts.csv --mapping ./mappings/salesforce.yaml --rate 500/s\n" +
        "  $ zstdcat calls.jsonl.zst | prickle backfill - --source segment --json | jq .rejectedByReason",
    )
    .action(async (paths: string[], _options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<BackfillOptions>(command);
      const summary = await run(paths, options, configOptions);
      const cost = summary.dryRun && costOf(summary.dryRun, options.price);
      answer(cost ? { ...summary, cost } : summary, (paint) =>
        summary.dryRun ? showDryRun(summary, summary.dryRun, cost, paint) : showSummary(summary, paint),
      );
      if (!summary.complete) process.exitCode = ERRORS.STOPPING.exitCode;
    });
}

async function run(
  paths: readonly string[],
  options: BackfillOptions,
  configOptions: ConfigOptions,
): Promise<BackfillSummary> {
  const { request, mapping } = requestOf(paths, options, configOptions);
  const progress = createBackfillProgress(process.stderr, () => Date.now());
  const signal = stopSignal(() => process.stderr.write("\nStopping; once more to stop at once.\n"));
  const tell = (reached: BackfillProgress) => progress.observe(reached);
  try {
    return await withStdin(paths.includes(STDIN), configOptions, signal, (stdin) => {
      const found = request.paths.map((path) => (path === STDIN ? (stdin ?? path) : path));
      return withOperations(configOptions, { deliver: !options.dryRun, create: true, mapping }, (operations) =>
        operations.backfill({ ...request, paths: found }, tell, signal),
      );
    });
  } finally {
    progress.done();
  }
}
