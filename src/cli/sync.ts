/** `prickle sync NAME`: asks a source for what is new. */

import { Command } from "commander";
import { type ConfigOptions, loadConfig } from "../config.ts";
import { ERRORS, PrickleError } from "../core/errors.ts";
import type { SyncSummary } from "../core/operations.ts";
import { type Colors, invocationOf, price, wholeNumber } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { costOf, showRehearsal } from "./show-rehearsal.ts";
import { showRun } from "./show-run.ts";
import { stopSignal } from "./stop-signal.ts";
import { createSyncProgress } from "./sync-progress.ts";
import { timeArgument } from "./time-argument.ts";

interface SyncOptions {
  readonly full?: boolean;
  readonly dryRun?: boolean;
  readonly since?: number;
  readonly acceptRemovals?: boolean;
  readonly wait: boolean;
  readonly maxEvents?: number;
  readonly price?: number;
}

export function syncCommand(): Command {
  return new Command("sync")
    .argument("[source]", "a source that is asked (default: the only one there is)")
    .summary("ask a CRM or database for what is new")
    .description(
      "Asks a source for the rows that changed since the last run, or for all of them when that is due, and takes in what\n" +
        "is new. Stopped or killed, the next run goes on page by page. `prickle serve` does the same by schedule, and\n" +
        "delivers what came of it.",
    )
    .option("--full", "read all rows, although only those that changed are due")
    .option(
      "--since <time>",
      "read what was modified from then on, such as 2026-11-01 or 2026-11-01T12:00Z",
      timeArgument,
    )
    .option("--dry-run", "keep and send nothing; say what it would come to")
    .option("--accept-removals", "many rows vanished, and that is right: remove them")
    .option("--wait", "wait until all is delivered", true)
    .option("--no-wait", "leave when all is on disk")
    .option("--max-events <n>", "stop before more messages are made; the next run goes on", wholeNumber(1))
    .option("--price <amount>", "what one event costs you: a dry run says what it comes to", price)
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle sync hubspot\n  $ prickle sync hubspot --full --dry-run --price 0.00005\n" +
        "  $ prickle sync hubspot --since 2026-11-01\n  $ prickle sync --json | jq .run.reason",
    )
    .action(async (source: string | undefined, _options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<SyncOptions>(command);
      const summary = await run(source ?? onlySource(configOptions), options, configOptions);
      answer(summary, (paint) => showSummary(summary, options.price, paint));
      if (summary.run.outcome !== "complete") process.exitCode = ERRORS.STOPPING.exitCode;
    });
}

async function run(source: string, options: SyncOptions, configOptions: ConfigOptions): Promise<SyncSummary> {
  const {
    full: isFull,
    since,
    dryRun: isDryRun,
    acceptRemovals: acceptsRemovals,
    maxEvents,
    wait: waitForDelivery,
  } = options;
  if (isFull && since !== undefined) throw new PrickleError("USAGE", "Give --full or --since, not both.");
  const request = { source, isFull, since, isDryRun, acceptsRemovals, maxEvents, waitForDelivery };
  const progress = createSyncProgress(process.stderr, () => Date.now());
  const signal = stopSignal(() => process.stderr.write("\nStopping; once more to stop at once.\n"));
  try {
    return await withOperations(configOptions, { deliver: !isDryRun, create: true }, (operations) =>
      operations.sync(request, progress.observe, signal),
    );
  } finally {
    progress.done();
  }
}

function onlySource(configOptions: ConfigOptions): string {
  const asked = loadConfig(configOptions).sources.filter(({ type }) => type === "pull");
  const [only, other] = asked;
  if (only && !other) return only.name;
  const names = asked.map(({ name }) => name).join(", ") || "none";
  throw new PrickleError("USAGE", `Which source is to be asked? There are ${names}.`, {
    hint: "Say it: prickle sync NAME.",
  });
}

function showSummary({ run, dryRun }: SyncSummary, eventPrice: number | undefined, paint: Colors): string {
  const text = showRun(run, paint);
  if (!dryRun) return text;
  const head = "Nothing was kept or sent, and rows that are gone were not looked for; it would come to:";
  return `${text}\n\n${head}\n\n${showRehearsal(dryRun, costOf(dryRun, eventPrice), paint)}`;
}
