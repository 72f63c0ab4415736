/** `prickle backfill FILE`: reads a file of the past into the ledger and waits until it is delivered. */

import { resolve } from "node:path";
import { Command } from "commander";
import { type ConfigOptions, peekConfig } from "../config.ts";
import { ERRORS, PrickleError } from "../core/errors.ts";
import type { BackfillSummary } from "../core/operations.ts";
import { createBackfillProgress } from "./backfill-progress.ts";
import { type Colors, invocationOf } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { count, listOf, span } from "./show-table.ts";
import { stopSignal } from "./stop-signal.ts";

interface BackfillOptions {
  readonly source?: string;
  readonly wait: boolean;
}

export function backfillCommand(): Command {
  return new Command("backfill")
    .argument("<file>", "Segment raw logs: JSON lines, plain or gzip")
    .summary("read a file of the past; resumes where it was stopped")
    .description(
      "Reads Segment calls from a file, one JSON object a line, plain or gzip, and delivers what they become.\n" +
        "Stopped or killed, the next run goes on from its checkpoint; a file that was read before changes nothing.",
    )
    .option("--source <name>", "source whose mapping reads it (default: the only one there is)")
    .option("--wait", "wait until all is delivered", true)
    .option("--no-wait", "leave when all is on disk")
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle backfill 2026-10.segment.jsonl.gz\n  $ prickle backfill calls.jsonl --source segment --no-wait\n" +
        "  $ prickle backfill calls.jsonl --json | jq .rejectedByReason",
    )
    .action(async (file: string, _options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<BackfillOptions>(command);
      const summary = await run(resolve(file), options, configOptions);
      answer(summary, (paint) => showSummary(summary, paint));
      if (!summary.complete) process.exitCode = ERRORS.STOPPING.exitCode;
    });
}

async function run(
  path: string,
  { source, wait }: BackfillOptions,
  configOptions: ConfigOptions,
): Promise<BackfillSummary> {
  const request = { path, source: source ?? onlySource(configOptions), waitForDelivery: wait };
  const progress = createBackfillProgress(process.stderr, () => Date.now());
  const signal = stopSignal(() => process.stderr.write("\nStopping; once more to stop at once.\n"));
  try {
    return await withOperations(configOptions, { deliver: true, create: true }, (operations) =>
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

export function showSummary(summary: BackfillSummary, paint: Colors): string {
  const { records, resumedAt, messages, duplicates, rejected, rejectedByReason, tookMs, complete } = summary;
  const read = records - resumedAt;
  const rate = tookMs > 0 ? `, ${count(Math.round((read / tookMs) * 1000))} a second` : "";
  const lines = [
    `${paint.bold(count(read))} calls read in ${span(tookMs)}${rate}: ${count(messages)} messages, ` +
      `${count(duplicates)} seen before, ${count(rejected)} rejected`,
  ];
  if (resumedAt > 0) lines.push(`${count(resumedAt)} calls had been read by an earlier run.`);
  if (rejected > 0) lines.push(paint.dim(`rejected: ${listOf(rejectedByReason)}; \`prickle rejections\` shows them`));
  if (!complete)
    lines.push(paint.yellow("Stopped before the end: nothing is lost, the same command goes on from here."));
  return lines.join("\n");
}
