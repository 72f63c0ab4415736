/** The options that say which dead letters are meant. */

import type { Command } from "commander";
import { DateTime } from "luxon";
import type { DeadLetterFilter } from "../../core/dead-letter.ts";
import { PrickleError } from "../../core/errors.ts";
import { wholeNumber } from "../invocation.ts";

export interface FilterOptions {
  readonly destination?: string;
  readonly reason?: string;
  readonly event?: string;
  readonly group?: string;
  /** ms UTC. */
  readonly from?: number;
  readonly to?: number;
  readonly limit?: number;
}

export interface ChoiceOptions extends FilterOptions {
  readonly all?: boolean;
}

export function withFilter(command: Command): Command {
  return command
    .option("--destination <name>", "of this destination")
    .option("--reason <text>", "whose reason has this in it")
    .option("--event <name>", "of this event")
    .option("--group <type[/key]>", "about this group, or naming it; without a key, any of the type")
    .option("--from <date>", "given up on this date, at this time, or later, UTC", timeOf)
    .option("--to <date>", "given up before this date or time, UTC", timeOf);
}

/** Ids, a filter or --all. */
export function withChoice(command: Command): Command {
  const parse = wholeNumber(1);
  const withIds = command.argument(
    "[ids...]",
    "numbers in the list",
    (text: string, before: readonly number[] | undefined) => [...(before ?? []), parse(text)],
  );
  return withFilter(withIds)
    .option("--limit <n>", "at most this many, the oldest first", wholeNumber(1))
    .option("--all", "all there are");
}

export function filterOf(options: FilterOptions): DeadLetterFilter {
  const { destination, reason, event, group, from, to, limit } = options;
  const slash = group?.indexOf("/") ?? -1;
  return {
    ...(destination === undefined ? {} : { destination }),
    ...(reason === undefined ? {} : { reason }),
    ...(event === undefined ? {} : { event }),
    ...(group === undefined ? {} : { groupType: slash < 0 ? group : group.slice(0, slash) }),
    ...(group === undefined || slash < 0 ? {} : { groupKey: group.slice(slash + 1) }),
    ...(from === undefined ? {} : { diedFrom: from }),
    ...(to === undefined ? {} : { diedBefore: to }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** Forgetting to say which must not mean all. */
export function choiceOf(ids: readonly number[], options: ChoiceOptions): DeadLetterFilter {
  const { limit, ...filter } = filterOf(options);
  const isChosen = ids.length > 0 || Object.keys(filter).length > 0;
  if (!isChosen && !options.all) {
    throw new PrickleError("USAGE", "Which dead letters?", {
      hint: "Give ids, --all, or what they have in common: --destination, --reason, --event, --group, --from, --to.",
    });
  }
  if (ids.length > 0 && options.all) throw new PrickleError("USAGE", "Give ids or --all, not both.");
  return { ...filter, ...(limit === undefined ? {} : { limit }), ...(ids.length === 0 ? {} : { ids }) };
}

function timeOf(text: string): number {
  const time = DateTime.fromISO(text, { zone: "utc" });
  if (time.isValid) return time.toMillis();
  throw new PrickleError(
    "USAGE",
    `found ${JSON.stringify(text)}; a date or time is allowed, such as 2026-11-24 or 2026-11-24T12:00:00Z`,
  );
}
