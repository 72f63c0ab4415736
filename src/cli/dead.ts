/** `prickle dead`: messages given up. Look at them, try them again, or forget them. */

import { Command } from "commander";
import { PrickleError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { DeadLetter, DeadLetterFilter } from "../core/ledger.ts";
import { type Colors, invocationOf, wholeNumber } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { cell, count, showTable, time } from "./show-table.ts";

interface ChoiceOptions {
  readonly destination?: string;
  readonly all?: boolean;
}

export function deadCommand(): Command {
  return new Command("dead")
    .summary("messages given up: list, show, replay, drop")
    .description(
      "Dead letters are messages that a destination refused for good, kept with the reason until you decide.",
    )
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(replayCommand())
    .addCommand(dropCommand())
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle dead list\n  $ prickle dead show 12\n  $ prickle dead replay 12 13\n" +
        "  $ prickle dead replay --destination posthog\n  $ prickle dead drop --all",
    );
}

function listCommand(): Command {
  return new Command("list")
    .summary("the dead letters, with their reasons")
    .option("--destination <name>", "only those of this destination")
    .option("--limit <n>", "at most this many", wholeNumber(1, 10_000), 20)
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle dead list\n  $ prickle dead list --destination posthog --json | jq '.[].reason'",
    )
    .action(async (_options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<{ destination?: string; limit: number }>(command);
      const { destination, limit } = options;
      const filter = { limit, ...(destination === undefined ? {} : { destination }) };
      const letters = await withOperations(configOptions, {}, (operations) => operations.listDeadLetters(filter));
      answer(letters, (paint) => showList(letters, paint));
    });
}

function showCommand(): Command {
  return new Command("show")
    .argument("<id>", "number in the list", wholeNumber(1))
    .summary("one dead letter with its message")
    .addHelpText("after", "\nExample:\n  $ prickle dead show 12")
    .action(async (id: number, _options, command: Command) => {
      const { configOptions, answer } = invocationOf(command);
      const letters = await withOperations(configOptions, {}, (operations) =>
        operations.listDeadLetters({ ids: [id] }),
      );
      const [letter] = letters;
      if (!letter) {
        throw new PrickleError("NOT_FOUND", `There is no dead letter ${id}.`, {
          hint: "`prickle dead list` has them.",
        });
      }
      answer(letter, (paint) => showLetter(letter, paint));
    });
}

function replayCommand(): Command {
  return chooser("replay")
    .summary("put dead letters back into the outbox")
    .description(
      "Puts dead letters back, at the end of their lanes and for their own destination, with uuid and time kept.",
    )
    .addHelpText("after", "\nExamples:\n  $ prickle dead replay 12 13\n  $ prickle dead replay --all")
    .action(async (ids: number[], _options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<ChoiceOptions>(command);
      const filter = filterOf(ids, options);
      const replayed = await withOperations(configOptions, {}, (operations) => operations.replayDeadLetters(filter));
      answer({ replayed }, () => `${letters(replayed)} put back; \`prickle serve\` delivers them.`);
    });
}

function dropCommand(): Command {
  return chooser("drop")
    .summary("forget dead letters")
    .description("Forgets dead letters for good: they are not delivered, and cannot be brought back.")
    .addHelpText("after", "\nExamples:\n  $ prickle dead drop 12\n  $ prickle dead drop --destination posthog")
    .action(async (ids: number[], _options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<ChoiceOptions>(command);
      const filter = filterOf(ids, options);
      const dropped = await withOperations(configOptions, {}, (operations) => operations.dropDeadLetters(filter));
      answer({ dropped }, () => `${letters(dropped)} forgotten.`);
    });
}

function chooser(name: string): Command {
  const parse = wholeNumber(1);
  return new Command(name)
    .argument("[ids...]", "numbers in the list", (text: string, before: readonly number[] | undefined) => [
      ...(before ?? []),
      parse(text),
    ])
    .option("--destination <name>", "only, or all, of this destination")
    .option("--all", "all there are");
}

/** Forgetting to say which must not mean all. */
function filterOf(ids: readonly number[], { destination, all }: ChoiceOptions): DeadLetterFilter {
  if (ids.length === 0 && destination === undefined && !all) {
    throw new PrickleError("USAGE", "Which dead letters?", { hint: "Give ids, --destination NAME or --all." });
  }
  if (ids.length > 0 && all) throw new PrickleError("USAGE", "Give ids or --all, not both.");
  return { ...(ids.length === 0 ? {} : { ids }), ...(destination === undefined ? {} : { destination }) };
}

function showList(found: readonly DeadLetter[], paint: Colors): string {
  if (found.length === 0) return "There are no dead letters.";
  const rows = found.map(({ id, destination, diedAt, attempts, reason, body }) => [
    `${id}`,
    destination,
    time(diedAt),
    count(attempts),
    cell(eventOf(body), 24),
    cell(reason, 90),
  ]);
  return showTable(COLUMNS, rows, paint);
}

const COLUMNS = [
  { name: "id", align: "right" },
  { name: "destination" },
  { name: "given up" },
  { name: "attempts", align: "right" },
  { name: "event" },
  { name: "reason" },
] as const;

function showLetter(letter: DeadLetter, paint: Colors): string {
  const rows = [
    ["destination", letter.destination],
    ["reason", letter.reason],
    ["attempts", `${count(letter.attempts)}, from ${time(letter.firstAttemptAt)} to ${time(letter.diedAt)}`],
    ["lane", `${letter.lane}`],
    ["uuid", letter.uuid],
  ].map(([name = "", text = ""]) => `${paint.dim(name.padEnd(12))}${cell(text, 2000)}`);
  return [...rows, "", JSON.stringify(parse(letter.body), null, 2)].join("\n");
}

function eventOf(body: string): string {
  const message = parse(body);
  return isJsonObject(message) && typeof message.event === "string" ? message.event : "";
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function letters(number: number): string {
  return `${count(number)} dead letter${number === 1 ? "" : "s"}`;
}
