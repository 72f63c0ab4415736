/** `prickle test`: runs the examples beside mappings, and shows where a mapping makes something else. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { extname, resolve } from "node:path";
import { Command } from "commander";
import { diffLines } from "diff";
import { stringify } from "yaml";
import { loadMapping } from "../config.ts";
import { ERRORS, PrickleError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { compileMapping, type MappingSource } from "../core/mapping/compile.ts";
import { type ExampleResult, runExamples, withExamplesEnvironment } from "../core/mapping/examples.ts";
import type { ExamplesText } from "../core/mapping/examples-file.ts";
import { rewriteExamples } from "../core/mapping/examples-rewriting.ts";
import { type Colors, invocationOf } from "./invocation.ts";
import { allMappings } from "./mapping-choice.ts";

interface Tested {
  readonly mapping: string;
  /** Null when there is none beside the mapping. */
  readonly examples: string | null;
  readonly results: readonly ExampleResult[];
  /** True when the file was written anew. */
  readonly updated: boolean;
  /** Why it was not, though it should have been; null: it was, or there was nothing to write. */
  readonly refused: string | null;
}

export function testCommand(): Command {
  return new Command("test")
    .argument("[mappings...]", "shipped mappings or paths (default: those of all sources)")
    .summary("run the examples beside mappings")
    .description(
      "Runs NAME.examples.yaml beside each NAME.yaml: what the mapping makes of each input must be what is written there.\n" +
        `Differences are shown line by line; the exit code is then ${ERRORS.MAPPING_INVALID.exitCode}.`,
    )
    .option("--update", "show the differences, then write what really came into the files")
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle test\n  $ prickle test ./mappings/own.yaml\n  $ prickle test ./mappings/own.yaml --update\n" +
        "  $ prickle test --json | jq '.[].results[] | select(.passed | not) | .name'",
    )
    .action((named: string[], _options, command: Command) => {
      const { options, configOptions, answer } = invocationOf<{ update?: boolean }>(command);
      const isNamed = named.length > 0;
      const mappings = isNamed ? named.map((one) => loadMapping(one, configOptions)) : allMappings(configOptions);
      const tested = mappings.map((source) => testOne(source, { isNamed, update: options.update === true }));
      answer(tested, (paint) => showAll(tested, paint));
      const isSound = tested.every(({ results, updated }) => updated || results.every(({ passed }) => passed));
      if (!isSound) process.exitCode = ERRORS.MAPPING_INVALID.exitCode;
    });
}

/** @throws NOT_FOUND when a mapping that was named has no examples; MAPPING_INVALID */
function testOne(source: MappingSource, { isNamed, update }: { isNamed: boolean; update: boolean }): Tested {
  const file = `${source.file.slice(0, source.file.length - extname(source.file).length)}.examples.yaml`;
  const path = resolve(file);
  if (!existsSync(path)) {
    if (!isNamed) return { mapping: source.file, examples: null, results: [], updated: false, refused: null };
    throw new PrickleError("NOT_FOUND", `There are no examples beside ${source.file}: ${file} is not there.`, {
      hint: "Each example has a name, an input, and the messages and problems expected of it: see docs/mapping.md.",
    });
  }
  const examples: ExamplesText = { text: readFileSync(path, "utf8"), file };
  const mapping = compileMapping(withExamplesEnvironment(source, examples));
  const results = runExamples(mapping, examples);
  const tested = { mapping: source.file, examples: file, results };
  if (!update || results.every(({ passed }) => passed)) return { ...tested, updated: false, refused: null };
  const rewritten = rewriteExamples(mapping, examples);
  if ("refused" in rewritten) return { ...tested, updated: false, refused: rewritten.refused };
  writeFileSync(path, rewritten.text);
  return { ...tested, updated: true, refused: null };
}

function showAll(tested: readonly Tested[], paint: Colors): string {
  return tested.map((one) => showTested(one, paint)).join("\n\n");
}

function showTested({ mapping, examples, results, updated, refused }: Tested, paint: Colors): string {
  if (examples === null) return `${paint.bold(mapping)}  no examples beside it`;
  const failed = results.filter(({ passed }) => !passed);
  const passed = results.length - failed.length;
  const told =
    failed.length === 0
      ? paint.green(`${passed} examples pass`)
      : paint.red(`${passed} of ${results.length} examples pass`);
  const shown = failed.map((result) => showDifference(examples, result, paint));
  const written = updated ? [`${paint.yellow("written:")} ${examples} now says what the mapping makes`] : [];
  const left = refused === null ? [] : [`${paint.red("not written:")} ${examples} stays as it is, ${refused}`];
  return [`${paint.bold(mapping)}  ${told}`, ...shown, ...written, ...left].join("\n\n");
}

function showDifference(file: string, { name, line, rule, expected, actual }: ExampleResult, paint: Colors): string {
  const by = rule === null ? "no rule wanted it" : `rule "${rule}"`;
  const lines = diffLines(yamlOf(expected), yamlOf(actual)).flatMap(({ value, added, removed }) => {
    const mark = added ? "+" : removed ? "-" : " ";
    const color = added ? paint.green : removed ? paint.red : paint.dim;
    return value
      .replace(/\n$/, "")
      .split("\n")
      .map((text) => color(`    ${mark} ${text}`));
  });
  return [
    `  ${paint.red("✗")} ${file}:${line}  ${paint.bold(name)}  ${paint.dim(`(${by}; - expected, + came)`)}`,
    ...lines,
  ].join("\n");
}

/** With the keys in order: only what is said differently is shown. */
function yamlOf(outcome: JsonObject): string {
  return stringify(outcome, { sortMapEntries: true, lineWidth: 100 });
}
