/** `prickle dead replay`: puts dead letters back into the outbox, at a rate if asked, or one of them with another text. */

import { readFile } from "node:fs/promises";
import { Command } from "commander";
import type { DeadLetterFilter } from "../../core/dead-letter.ts";
import { ERRORS, PrickleError } from "../../core/errors.ts";
import type { Operations } from "../../core/operations.ts";
import { systemClock } from "../../platform/clock.ts";
import { invocationOf } from "../invocation.ts";
import { withOperations } from "../operations.ts";
import { stopSignal } from "../stop-signal.ts";
import { type ChoiceOptions, choiceOf, withChoice } from "./filter.ts";
import { lettersText } from "./letters.ts";
import { requireNamed } from "./named.ts";

interface ReplayOptions extends ChoiceOptions {
  /** Letters a second. */
  readonly rate?: number;
  readonly with?: string;
}

export function replayCommand(): Command {
  return withChoice(new Command("replay"))
    .summary("put dead letters back into the outbox")
    .description(
      "Puts dead letters back, at the end of their lanes and for their own destination, with uuid and time kept.\n" +
        "Killed in the middle, those not put back yet stay dead letters.",
    )
    .option("--rate <n/s>", "so many a second; it goes on until all are put back", rateOf)
    .option("--with <file>", "one letter, with its message as this file has it")
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle dead replay 12 13\n  $ prickle dead replay --all\n" +
        '  $ prickle dead replay --reason "answered 413" --rate 50/s\n' +
        "  $ prickle dead show 12 --payload > 12.json; $EDITOR 12.json; prickle dead replay 12 --with 12.json",
    )
    .action(async (ids: readonly number[], _options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<ReplayOptions>(command);
      const filter = choiceOf(ids, options);
      const signal = stopSignal();
      const replayed = await withOperations(configOptions, {}, (operations) =>
        replay(operations, filter, options, signal),
      );
      answer({ replayed }, () => `${lettersText(replayed)} put back; \`prickle serve\` delivers them.`);
      if (signal.aborted) process.exitCode = ERRORS.STOPPING.exitCode;
    });
}

async function replay(
  operations: Operations,
  filter: DeadLetterFilter,
  { rate, with: file }: ReplayOptions,
  signal: AbortSignal,
): Promise<number> {
  if (file !== undefined) return replayEdited(operations, filter, file);
  await requireNamed(operations, filter);
  return rate === undefined ? operations.replayDeadLetters(filter) : atRate(operations, filter, rate, signal);
}

/** Those that die while it goes on are left alone. */
async function atRate(
  operations: Pick<Operations, "replayDeadLetters">,
  { limit = Number.POSITIVE_INFINITY, ...filter }: DeadLetterFilter,
  rate: number,
  signal: AbortSignal,
): Promise<number> {
  const startedAt = systemClock.now();
  const diedBefore = Math.min(filter.diedBefore ?? startedAt, startedAt);
  const [some, everyMs] = rate < 1 ? [1, 1_000 / rate] : [Math.round(rate), 1_000];
  let replayed = 0;
  for (let turn = 1; replayed < limit && !signal.aborted; turn++) {
    const most = Math.min(some, limit - replayed);
    const put = await operations.replayDeadLetters({ ...filter, diedBefore, limit: most });
    replayed += put;
    if (put < most) break;
    await systemClock.sleep(startedAt + turn * everyMs - systemClock.now(), signal);
  }
  return replayed;
}

async function replayEdited(
  operations: Pick<Operations, "replayEdited">,
  { ids = [], ...filter }: DeadLetterFilter,
  file: string,
): Promise<number> {
  const [id] = ids;
  if (id === undefined || ids.length > 1 || Object.keys(filter).length > 0) {
    throw new PrickleError("USAGE", "--with takes one id, and nothing else that says which.");
  }
  const body = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new PrickleError("NOT_FOUND", `${file} cannot be read.`, { cause });
  });
  await operations.replayEdited({ id, body });
  return 1;
}

/** For commander: as in 50/s. */
function rateOf(text: string): number {
  const number = Number(/^(\d+(?:\.\d+)?)(?:\/s)?$/.exec(text)?.[1]);
  if (number > 0) return number;
  throw new PrickleError("USAGE", `found ${JSON.stringify(text)}; so many a second are allowed, such as 50/s`);
}
