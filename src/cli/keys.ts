/** `prickle keys`: aliases that two groups claim, records that wait for one, keys of two group types. */

import { Command } from "commander";
import type { KeysReport } from "../core/group-knowledge.ts";
import { type Colors, invocationOf, wholeNumber } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { cell, count, showTable, time } from "./show-table.ts";

export function keysCommand(): Command {
  return new Command("keys")
    .summary("keys of groups: aliases that collide, records that wait")
    .description(
      "Shows what is known of the keys of groups: aliases that two groups claim, with the one each belongs to; records that\n" +
        "wait for an alias; and keys that two group types have, of which PostHog may mix up the properties.",
    )
    .option("--limit <n>", "at most this many of each", wholeNumber(1, 10_000), 50)
    .addHelpText("after", "\nExamples:\n  $ prickle keys\n  $ prickle keys --json | jq .collisions")
    .action(async (_options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<{ limit: number }>(command);
      const report = await withOperations(configOptions, {}, (operations) => operations.keys({ limit: options.limit }));
      answer(report, (paint) => showKeys(report, paint));
    });
}

export function showKeys(report: KeysReport, paint: Colors): string {
  const { aliases, collisionCount, collisions, parkedCount, parked, shared } = report;
  const lines = [
    `${count(aliases)} aliases · ${count(collisionCount)} collide · ${count(parkedCount)} records wait for one`,
  ];
  if (collisions.length > 0) {
    const rows = collisions.map(({ groupType, alias, groupKey, otherKey, source, at }) => {
      return [groupType, cell(alias), cell(groupKey), cell(otherKey), source, time(at)];
    });
    lines.push("", showTable(COLLISION_COLUMNS, rows, paint));
  }
  if (parked.length > 0) {
    const rows = parked.map(({ groupType, recordId, source, aliases: wanted, at }) => {
      return [groupType, cell(recordId), source, wanted.map((alias) => cell(alias)).join(", "), time(at)];
    });
    lines.push("", showTable(PARKED_COLUMNS, rows, paint));
  }
  for (const { groupKey, groupTypes } of shared) {
    lines.push("", `${paint.yellow("warning:")} ${cell(groupKey)} is a key of ${groupTypes.join(" and ")}`);
  }
  return lines.join("\n");
}

const COLLISION_COLUMNS = ["type", "alias", "belongs to", "also claimed for", "source", "claimed"].map((name) => ({
  name,
}));
const PARKED_COLUMNS = ["type", "record", "source", "waits for", "of"].map((name) => ({ name }));
