/** `prickle mapping`: shows what a mapping comes to, and makes one of a Segment destination. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { Document, isMap, isPair, isScalar, type YAMLMap } from "yaml";
import { PrickleError } from "../core/errors.ts";
import { jsonErrorPlace } from "../core/json.ts";
import {
  type EffectiveMapping,
  effectiveMapping,
  type Origin,
  type ShownRule,
} from "../core/mapping/effective-mapping.ts";
import { type ImportNote, importSubscriptions } from "../core/mapping/import/subscriptions.ts";
import { colorsFor, invocationOf } from "./invocation.ts";
import { chooseMapping } from "./mapping-choice.ts";

export function mappingCommand(): Command {
  return new Command("mapping")
    .summary("show what a mapping comes to; import one from Segment")
    .description("Mappings say what calls and records become: docs/mapping.md.")
    .addCommand(showCommand())
    .addCommand(importCommand())
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle mapping show ./mappings/own.yaml\n  $ prickle mapping import subscriptions.json --out mappings/own.yaml",
    );
}

function showCommand(): Command {
  return new Command("show")
    .argument("[mapping]", "a shipped mapping or a path (default: that of the only source)")
    .summary("the rules that hold, each part with where it was written")
    .description("Lays the mapping over those it extends, and prints the rules in the order in which they are tried.")
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle mapping show\n  $ prickle mapping show segment\n  $ prickle mapping show ./mappings/own.yaml --json",
    )
    .action((named: string | undefined, _options, command: Command) => {
      const { configOptions, answer } = invocationOf(command);
      const effective = effectiveMapping(chooseMapping(named, configOptions));
      answer(effective, () => showEffective(effective));
    });
}

function importCommand(): Command {
  return new Command("import")
    .argument(
      "<file>",
      "what Segment's Public API answers for the subscriptions of a destination; - for standard input",
    )
    .summary("a mapping from the subscriptions of a Segment destination")
    .description(
      "Turns each subscription, a trigger and its mapping, into a rule, and says on stderr what could not be carried over.\n" +
        "The subscriptions: GET https://api.segmentapis.com/destinations/ID/subscriptions",
    )
    .option("--out <file>", "write the mapping there, if there is no such file yet")
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle mapping import subscriptions.json\n  $ prickle mapping import subscriptions.json --out mappings/own.yaml\n" +
        "  $ prickle mapping import subscriptions.json --json | jq .notes",
    )
    .action((file: string, _options, command: Command) => {
      const { options, json, answer } = invocationOf<{ out?: string }>(command);
      const { text, notes } = importSubscriptions(readJson(file));
      if (options.out !== undefined) writeNew(options.out, text);
      if (!json) process.stderr.write(showNotes(notes));
      answer({ text, notes, file: options.out ?? null }, () => options.out ?? text);
    });
}

/** @throws NOT_FOUND, INPUT_INVALID */
function readJson(file: string): unknown {
  const name = file === "-" ? "standard input" : file;
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (cause) {
    throw new PrickleError("NOT_FOUND", `${name} cannot be read.`, { hint: "Check the path.", cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PrickleError("INPUT_INVALID", `${name} is not JSON: ${jsonErrorPlace(cause)}.`, {
      hint: "Save what Segment's Public API answers as it is.",
      cause,
    });
  }
}

function writeNew(file: string, text: string): void {
  if (existsSync(resolve(file))) {
    throw new PrickleError("USAGE", `${file} is there already.`, { hint: "Name another file, or move it away." });
  }
  writeFileSync(file, text);
}

function showNotes(notes: readonly ImportNote[]): string {
  const paint = colorsFor(process.stderr);
  return notes
    .map(({ subscription, message }) => {
      const about = subscription === null ? "" : `${paint.bold(subscription)}: `;
      return `${paint.yellow("note:")} ${about}${message}\n`;
    })
    .join("");
}

/** The mapping as YAML, with a comment before each part that says where it was written. */
function showEffective({ groupTypes, groups, rules }: EffectiveMapping): string {
  const settings = Object.fromEntries(groups.map(({ name, value }) => [name, value]));
  const document = new Document({
    groupTypes: groupTypes.map(({ value }) => value),
    ...(groups.length > 0 ? { groups: settings } : {}),
    rules: rules.map(plainRule),
  });
  for (const { name, from } of groups) {
    const map = document.get("groups", true);
    if (isMap(map)) comment(keyOf(map, name), from);
  }
  for (const [index, { from }] of groupTypes.entries()) comment(document.getIn(["groupTypes", index], true), from);
  for (const [index, rule] of rules.entries()) {
    comment(document.getIn(["rules", index], true), rule.from);
    for (const { part, from } of rule.parts) {
      const path = part.split(".");
      const map = document.getIn(["rules", index, ...path.slice(0, -1)], true);
      if (isMap(map)) comment(keyOf(map, path.at(-1) ?? ""), from);
    }
  }
  return document.toString({ lineWidth: 120 });
}

function plainRule({ name, parts }: ShownRule): object {
  const rule: Record<string, unknown> = { name };
  for (const { part, value } of parts) {
    const [output = "", key] = part.split(".");
    if (key === undefined) rule[output] = value;
    else rule[output] = { ...(rule[output] as object | undefined), [key]: value };
  }
  return rule;
}

function keyOf(map: YAMLMap, key: string): unknown {
  return map.items.find((pair) => isPair(pair) && isScalar(pair.key) && pair.key.value === key)?.key;
}

function comment(node: unknown, { file, line, dialect }: Origin): void {
  if (typeof node !== "object" || node === null || !("commentBefore" in node || isScalar(node) || isMap(node))) return;
  const asSegment = dialect === "segment" ? ", as Segment reads it" : "";
  Object.assign(node, { commentBefore: ` ${file}:${line}${asSegment}` });
}
