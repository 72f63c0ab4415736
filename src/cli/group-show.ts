/** `prickle groups show TYPE KEY`: every property with its source and when it was delivered, and the members. */

import { Command } from "commander";
import { PrickleError } from "../core/errors.ts";
import type { Arrival, GroupKnowledge, KnownProperty } from "../core/group-knowledge.ts";
import { type Colors, invocationOf, wholeNumber } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { cell, count, showTable, time } from "./show-table.ts";

export function groupShowCommand(): Command {
  return new Command("show")
    .argument("<type>", "a group type, as in company")
    .argument("<key>", "the key of the group")
    .summary("all that is known of one group")
    .description(
      "Shows every property of a group: its value, the source whose word counts, when it was true there and when it was\n" +
        "delivered; the aliases of the group; and everybody who ever joined it.",
    )
    .option("--limit <n>", "at most this many members", wholeNumber(0, 10_000), 20)
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle groups show company acme\n  $ prickle groups show company acme --json | jq .members",
    )
    .action(async (groupType: string, groupKey: string, _options, command: Command) => {
      const { configOptions, options, answer } = invocationOf<{ limit: number }>(command);
      const query = { groupType, groupKey, limit: options.limit };
      const group = await withOperations(configOptions, {}, (operations) => operations.group(query));
      if (!group) {
        throw new PrickleError("NOT_FOUND", `Nothing is known of a ${groupType} ${JSON.stringify(groupKey)}.`, {
          hint: "`prickle groups TYPE` lists those there are; a key is written as the source writes it.",
        });
      }
      answer(group, (paint) => showGroup(group, paint));
    });
}

export function showGroup(group: GroupKnowledge, paint: Colors): string {
  const { groupType, groupKey, aliases, properties, members, hasMoreMembers } = group;
  const lines = [`${paint.dim(groupType)} ${paint.bold(cell(groupKey))}`];
  if (aliases.length > 0) lines.push(`${paint.dim("known as")} ${aliases.map((alias) => cell(alias)).join(", ")}`);
  lines.push("", showProperties(properties, paint), "");
  const more = hasMoreMembers ? ", and more" : "";
  lines.push(paint.dim(`${count(members.length)} members${more}`));
  const rows = members.map(({ id, joinedAt, isMember }) => [cell(id), time(joinedAt), isMember ? "" : "no more"]);
  if (rows.length > 0) lines.push(showTable([{ name: "id" }, { name: "joined" }, { name: "" }], rows, paint));
  return lines.join("\n");
}

function showProperties(properties: readonly KnownProperty[], paint: Colors): string {
  const destinations = Object.keys(properties[0]?.delivered ?? {});
  const columns = ["property", "value", "source", "true since", ...destinations, "others say"].map((name) => ({
    name,
  }));
  const rows = properties.map(({ name, value, source, at, delivered, others }) => [
    cell(name),
    source === null ? paint.dim("removed") : cell(value, 32),
    source ?? "",
    at === null ? "" : time(at),
    ...destinations.map((destination) => deliveredText(delivered[destination] ?? null)),
    others.map((other) => `${other.source}: ${cell(other.value ?? "removed", 24)}`).join(", "),
  ]);
  return showTable(columns, rows, paint);
}

function deliveredText(delivered: Arrival): string {
  if (delivered === null) return "long ago";
  return typeof delivered === "number" ? time(delivered) : delivered;
}
