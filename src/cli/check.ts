/** `prickle check`: every problem of the configuration and of its mappings, at once. */

import { Command } from "commander";
import { type CheckedConfig, type Config, checkConfig, problemLine } from "../config.ts";
import { ERRORS } from "../core/errors.ts";
import { compileMapping } from "../core/mapping/compile.ts";
import { type Colors, invocationOf } from "./invocation.ts";

export function checkCommand(): Command {
  return new Command("check")
    .summary("every problem of prickle.yaml and its mappings, at once")
    .description(
      "Checks prickle.yaml, the environment variables it names and the mappings of its sources, without opening anything.\n" +
        `Each problem comes with file, line and column, what was found and what is allowed; the exit code is then ${ERRORS.CONFIG_INVALID.exitCode}.\n` +
        "Warnings are shown too; with nothing else the exit code is 0.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle check\n  $ prickle check --config deploy/prickle.yaml && systemctl restart prickle\n" +
        "  $ prickle check --json | jq '.problems[].path'",
    )
    .action((_options, command: Command) => {
      const { configOptions, answer } = invocationOf(command);
      const { config, problems } = checkConfig(configOptions);
      const isSound = problems.every(({ severity }) => severity === "warning");
      const found = config && isSound ? summaryOf(config) : null;
      answer({ ok: found !== null, problems, found }, (paint) => {
        const shown = problems.length > 0 ? [showProblems({ config, problems }, paint)] : [];
        return [...shown, ...(found ? [showSummary(found, paint)] : [])].join("\n\n");
      });
      if (!found) process.exitCode = ERRORS.CONFIG_INVALID.exitCode;
    });
}

interface Summary {
  readonly file: string | null;
  readonly dataDir: string;
  readonly listensOn: string;
  readonly sources: readonly {
    readonly name: string;
    readonly mapping: string;
    readonly groupTypes: readonly string[];
    readonly doors: string;
  }[];
  readonly destinations: readonly { readonly name: string; readonly type: string; readonly host: string | null }[];
}

function summaryOf({ file, dataDir, server, sources, destinations }: Config): Summary {
  return {
    file,
    dataDir,
    listensOn: `${server.host}:${server.port}`,
    sources: sources.map((source) => ({
      name: source.name,
      mapping: source.mapping.file,
      groupTypes: compileMapping(source.mapping).groupTypes,
      doors: doorsOf(source),
    })),
    destinations: destinations.map((one) => ({
      name: one.name,
      type: one.type,
      host: one.type === "posthog" ? one.host : null,
    })),
  };
}

function doorsOf({ writeKeys, anyWriteKey, webhook }: Config["sources"][number]): string {
  const tracking = anyWriteKey
    ? "tracking API with any write key"
    : writeKeys.length === 0
      ? "tracking API closed"
      : `tracking API with ${writeKeys.length} write key${writeKeys.length === 1 ? "" : "s"}`;
  if (!webhook) return `${tracking}, webhook closed`;
  const guards = [webhook.secrets.length > 0 ? "signed" : null, webhook.bearer ? "with bearer token" : null].filter(
    Boolean,
  );
  return `${tracking}, webhook ${guards.length > 0 ? guards.join(" and ") : "open to this machine"}`;
}

function showProblems({ problems }: CheckedConfig, paint: Colors): string {
  const lines = problems.map(problemLine).join("\n");
  const warnings = problems.filter(({ severity }) => severity === "warning").length;
  const errors = problems.length - warnings;
  const counted = [
    errors > 0 ? paint.red(countOf(errors, "problem")) : null,
    warnings > 0 ? paint.yellow(countOf(warnings, "warning")) : null,
  ].filter((count) => count !== null);
  return `${lines}\n\n${counted.join(", ")}`;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function showSummary({ file, dataDir, listensOn, sources, destinations }: Summary, paint: Colors): string {
  const row = (name: string, text: string) => `${paint.dim(name.padEnd(13))}${text}`;
  return [
    paint.green("Everything is in order."),
    row("file", file ?? "none: the defaults"),
    row("data", dataDir),
    row("listens on", listensOn),
    ...sources.flatMap(({ name, mapping, groupTypes, doors }) => [
      row("source", `${paint.bold(name)}, mapping ${mapping}, group types ${groupTypes.join(", ")}`),
      row("", doors),
    ]),
    ...destinations.map(({ name, type, host }) =>
      row("destination", `${paint.bold(name)}, ${type}${host === null ? "" : ` at ${host}`}`),
    ),
  ].join("\n");
}
