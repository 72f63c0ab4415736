/** `prickle groups TYPE` and `prickle groups show TYPE KEY`: the groups of a type, and all that is known of one. */

import { Command } from "commander";
import type { Group, GroupPage } from "../core/analytics.ts";
import { groupShowCommand } from "./group-show.ts";
import { type Colors, invocationOf, wholeNumber } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { cell, count, showTable } from "./show-table.ts";

interface GroupsOptions {
  readonly limit: number;
  readonly offset: number;
  readonly search?: string;
}

const PROPERTIES_SHOWN = 6;

export function groupsCommand(): Command {
  return new Command("groups")
    .argument("<type>", "a group type, as in company")
    .summary("the groups of a type, with their properties")
    .description("Lists the groups of a type in the embedded engine, by name. --json has all properties.")
    .option("--limit <n>", "at most this many", wholeNumber(1, 10_000), 20)
    .option("--offset <n>", "leave out this many first", wholeNumber(0), 0)
    .option("--search <text>", "only those with this in their key or name")
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle groups company\n  $ prickle groups company --search acme\n  $ prickle groups show company acme\n" +
        "  $ prickle groups project --limit 1000 --json | jq '.groups[].properties'",
    )
    .addCommand(groupShowCommand())
    .action(async (groupType: string, _options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<GroupsOptions>(command);
      const { limit, offset, search } = options;
      const query = { groupType, limit, offset, ...(search === undefined ? {} : { search }) };
      const page = await withOperations(configOptions, {}, (operations) => operations.groups(query));
      answer(page, (paint) => showGroups(page, offset, paint));
    });
}

export function showGroups({ groupType, groups, total }: GroupPage, offset: number, paint: Colors): string {
  if (groups.length === 0) return total === 0 ? `No ${groupType} matches.` : `There are ${count(total)}: no more.`;
  const names = commonProperties(groups);
  const columns = ["name", "key", ...names, "updated"].map((name) => ({
    name,
    align: isNumeric(groups, name) ? ("right" as const) : ("left" as const),
  }));
  const rows = groups.map(({ name, groupKey, properties, updatedAt }) => [
    cell(name, 32),
    cell(groupKey, 32),
    ...names.map((property) => cell(properties[property], 24)),
    updatedAt.slice(0, 10),
  ]);
  const shown = `${count(offset + 1)}–${count(offset + groups.length)} of ${count(total)}`;
  return `${showTable(columns, rows, paint)}\n\n${paint.dim(`${groupType} ${shown}`)}`;
}

/** Those that most of the groups have, but for the name and the key, which stand before; of equals, the first seen. */
function commonProperties(groups: readonly Group[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { groupKey, properties } of groups) {
    for (const [name, value] of Object.entries(properties)) {
      if (value !== groupKey) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  counts.delete("name");
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .slice(0, PROPERTIES_SHOWN)
    .map(([name]) => name);
}

function isNumeric(groups: readonly Group[], property: string): boolean {
  const values = groups.flatMap(({ properties }) => properties[property] ?? []);
  return values.length > 0 && values.every((value) => typeof value === "number");
}
