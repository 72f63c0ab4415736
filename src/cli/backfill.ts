/** `prickle backfill FILE`: reads a file of the past into the ledger and waits until it is delivered. */

import { resolve } from "node:path";
import { Command } from "commander";
import { type ConfigOptions, peekConfig } from "../config.ts";
import { ERRORS, PrickleError } from "../core/errors.ts";
import type { BackfillSummary } from "../core/operations.ts";
import type { RehearsalSummary } from "../core/rehearsal.ts";
import { createBackfillProgress } from "./backfill-progress.ts";
import { type Colors, invocationOf, price, wholeNumber } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { type Cost, costOf, showRehearsal } from "./show-rehearsal.ts";
import { count, listOf, span } from "./show-table.ts";
import { stopSignal } from "./stop-signal.ts";

interface BackfillOptions {
  readonly source?: string;
  readonly wait: boolean;
  readonly inOrder?: boolean;
  readonly dryRun?: boolean;
  readonly maxEvents?: number;
  readonly price?: number;
}

export function backfillCommand(): Command {
  return new Command("backfill")
    .argument("<file>", "Segment raw logs: JSON lines, plain or gzip")
    .summary("read a file of the past; resumes where it was stopped")
    .description(
      "Reads Segment calls from a file, one JSON object a line, plain or gzip, and delivers what they become.\n" +
        "Stopped or killed, the next run goes on from its checkpoint; a file that was read before changes nothing.\n" +
        "Who belonged to which group is read first, so that the order of the file does not matter.",
    )
    .option("--source <name>", "source whose mapping reads it (default: the only one there is)")
    .option("--in-order", "the file is in the order of time: read it once")
    .option("--dry-run", "keep and send nothing; say what it would come to")
    .option("--max-events <n>", "stop before more messages are made; the next run goes on", wholeNumber(1))
    .option("--price <amount>", "what one event costs you: a dry run says what it comes to", price)
    .option("--wait", "wait until all is delivered", true)
    .option("--no-wait", "leave when all is on disk")
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle backfill 2026-10.segment.jsonl.gz\n  $ prickle backfill calls.jsonl --source segment --no-wait\n" +
        "  $ prickle backfill calls.jsonl --dry-run --price 0.00005\n  $ prickle backfill calls.jsonl --max-events 100000\n" +
        "  $ prickle backfill calls.jsonl --json | jq .rejectedByReason",
    )
    .action(async (file: string, _options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<BackfillOptions>(command);
      const summary = await run(resolve(file), options, configOptions);
      const cost = summary.dryRun && costOf(summary.dryRun, options.price);
      answer(cost ? { ...summary, cost } : summary, (paint) =>
        summary.dryRun ? showDryRun(summary, summary.dryRun, cost, paint) : showSummary(summary, paint),
      );
      if (!summary.complete) process.exitCode = ERRORS.STOPPING.exitCode;
    });
}

async function run(
  path: string,
  { source, wait, inOrder, dryRun, maxEvents }: BackfillOptions,
  configOptions: ConfigOptions,
): Promise<BackfillSummary> {
  const how = { waitForDelivery: wait && !dryRun, isInOrder: inOrder, isDryRun: dryRun, maxEvents };
  const request = { path, source: source ?? onlySource(configOptions), ...how };
  const progress = createBackfillProgress(process.stderr, () => Date.now());
  const signal = stopSignal(() => process.stderr.write("\nStopping; once more to stop at once.\n"));
  try {
    return await withOperations(configOptions, { deliver: !dryRun, create: true }, (operations) =>
      operations.backfill(request, progress.observe, signal),
    );
  } finally {
    progress.done();
  }
}

function onlySource(configOptions: ConfigOptions): string {
  const { sources } = peekConfig(configOptions);
  const [only, other] = sources;
  if (only !== undefined && other === undefined) return only;
  throw new PrickleError("USAGE", `Which source reads it? There are ${sources.join(", ") || "none"}.`, {
    hint: "Say it with --source NAME.",
  });
}

function showDryRun(
  { records, tookMs }: BackfillSummary,
  dryRun: RehearsalSummary,
  cost: Cost | null,
  paint: Colors,
): string {
  const again = dryRun.duplicates > 0 ? `, ${count(dryRun.duplicates)} of them known already` : "";
  const head = `${paint.bold(count(records))} calls read in ${span(tookMs)}${again}. Nothing was kept or sent; it would come to:`;
  return `${head}\n\n${showRehearsal(dryRun, cost, paint)}`;
}

export function showSummary(summary: BackfillSummary, paint: Colors): string {
  const { records, resumedAt, messages, duplicates, rejected, rejectedByReason, tookMs } = summary;
  const { complete, reachedLimit } = summary;
  const read = records - resumedAt;
  const rate = tookMs > 0 ? `, ${count(Math.round((read / tookMs) * 1000))} a second` : "";
  const lines = [
    `${paint.bold(count(read))} calls read in ${span(tookMs)}${rate}: ${count(messages)} messages, ` +
      `${count(duplicates)} seen before, ${count(rejected)} rejected`,
  ];
  if (resumedAt > 0) lines.push(`${count(resumedAt)} calls had been read by an earlier run.`);
  if (rejected > 0) lines.push(paint.dim(`rejected: ${listOf(rejectedByReason)}; \`prickle rejections\` shows them`));
  const { saved, attributed, stale } = summary;
  if (saved + attributed + stale > 0) {
    const late = stale > 0 ? `, ${count(stale)} properties were older than what is known` : "";
    lines.push(`${count(attributed)} events gained a group; ${count(saved)} group identifies said nothing new${late}.`);
  }
  if (reachedLimit) lines.push(paint.yellow("Stopped at its limit of events: the same command goes on from here."));
  else if (!complete)
    lines.push(paint.yellow("Stopped before the end: nothing is lost, the same command goes on from here."));
  return lines.join("\n");
}
