/** `prickle verify`: whether PostHog has the groups it was sent, and a repair where it has not. */

import { Command } from "commander";
import type { VerifyProgress, VerifyRequest } from "../core/verification.ts";
import { type Invocation, invocationOf, price, wholeNumber } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { count, span } from "./show-table.ts";
import { showVerification } from "./show-verification.ts";
import { stopSignal } from "./stop-signal.ts";

interface VerifyOptions {
  readonly destination?: string;
  readonly groupType?: string;
  readonly repair?: boolean;
  readonly dryRun?: boolean;
  readonly price?: number;
  readonly limit: number;
  readonly settling: number;
}

/** As of `diff`: there are differences. */
const DIFFERENT = 1;
/** As of what may be tried again: sysexits(3). */
const UNFINISHED = 75;
const LINE_EVERY_MS = 5_000;

export function verifyCommand(): Command {
  return new Command("verify")
    .summary("does PostHog have the groups it was sent?")
    .description(
      "Compares the groups that a destination was sent with those it shows: missing groups, properties that differ, and\n" +
        "groups that no source knows. Only properties that sources told are compared. What waits, is a dead letter or was\n" +
        "delivered just now is no difference. PostHog is asked by its private API, with the personal key of the destination.\n" +
        `The exit code is ${DIFFERENT} when groups are missing or differ, ${UNFINISHED} when not all could be compared.`,
    )
    .option("--destination <name>", "this one, where several can be verified")
    .option("--group-type <type>", "only groups of this type")
    .option("--repair", "queue what the destination lacks, for it alone")
    .option("--dry-run", "with --repair: say how many messages it would queue, and queue none")
    .option("--price <amount>", "what one event costs: says what the repair costs", price)
    .option("--limit <n>", "examples of each finding", wholeNumber(0, 10_000), 10)
    .option(
      "--settling <seconds>",
      "leave out what was delivered so many seconds ago or less",
      wholeNumber(0, 1e6),
      300,
    )
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle verify\n  $ prickle verify --group-type company --limit 100 --json | jq '.groupTypes[].missing'\n" +
        "  $ prickle verify --repair --dry-run --price 0.00005\n  $ prickle verify --repair",
    )
    .action(async (_options, command: Command) => {
      await verify(invocationOf<VerifyOptions>(command));
    });
}

async function verify({ options, configOptions, answer }: Invocation<VerifyOptions>): Promise<void> {
  const stop = stopSignal();
  const observe = progressLines(process.stderr, Date.now);
  const report = await withOperations(configOptions, {}, (operations) =>
    operations.verify(requestOf(options), observe, stop),
  );
  answer(report, (paint) => showVerification(report, { price: options.price ?? null, paint }));
  if (report.differences > 0) process.exitCode = DIFFERENT;
  if (report.unfinished !== null) process.exitCode = UNFINISHED;
}

function requestOf({ destination, groupType, repair, dryRun, limit, settling }: VerifyOptions): VerifyRequest {
  return {
    ...(destination === undefined ? {} : { destination }),
    ...(groupType === undefined ? {} : { groupType }),
    repair: repair === true && dryRun !== true,
    examples: limit,
    settlingMs: settling * 1000,
  };
}

/** A line now and then, and one for every pause. */
function progressLines(
  stream: Pick<NodeJS.WriteStream, "write">,
  now: () => number,
): (progress: VerifyProgress) => void {
  let writtenAt = now();
  return ({ groupType, phase, groups, pause }) => {
    if (pause === null && now() - writtenAt < LINE_EVERY_MS) return;
    writtenAt = now();
    const where = phase === "shown" ? "comparing what is shown" : "looking for what is missing";
    const waits = pause ? `: waiting ${span(pause.ms)}, ${pause.reason}` : "";
    stream.write(`${groupType === "" ? "group types" : groupType}, ${where}: ${count(groups)} groups${waits}\n`);
  };
}
