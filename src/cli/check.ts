/** `prickle check`: every problem of the configuration and of its mappings, at once. */

import { Command } from "commander";
import { type Config, type ConfigProblem, checkConfig, type PullSourceConfig, problemLine } from "../config.ts";
import type { PlannedSlot } from "../connector/group-slots.ts";
import { ERRORS } from "../core/errors.ts";
import { compileMapping } from "../core/mapping/compile.ts";
import { checkSlots, showSlots } from "./check-slots.ts";
import { type Colors, invocationOf } from "./invocation.ts";

export function checkCommand(): Command {
  return new Command("check")
    .summary("every problem of prickle.yaml and its mappings, at once")
    .description(
      "Checks prickle.yaml, the environment variables it names and the mappings of its sources, without opening anything.\n" +
        "Where a PostHog destination has a personal API key, the group types of its project are read and counted in.\n" +
        `Each problem comes with file, line and column, what was found and what is allowed; the exit code is then ${ERRORS.CONFIG_INVALID.exitCode}.\n` +
        "Warnings are shown too; with nothing else the exit code is 0.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle check\n  $ prickle check --config deploy/prickle.yaml && systemctl restart prickle\n" +
        "  $ prickle check --json | jq '.problems[].path'",
    )
    .action(async (_options, command: Command) => {
      const { configOptions, answer } = invocationOf(command);
      const checked = checkConfig(configOptions);
      const { config } = checked;
      const examined = config && isSound(checked.problems) ? await checkSlots(config, checked) : null;
      const problems = [...checked.problems, ...(examined?.problems ?? [])];
      const found = config && examined && isSound(problems) ? summaryOf(config, examined.slots) : null;
      answer({ ok: found !== null, problems, found }, (paint) => {
        const shown = problems.length > 0 ? [showProblems(problems, paint)] : [];
        return [...shown, ...(found ? [showSummary(found, paint)] : [])].join("\n\n");
      });
      if (!found) process.exitCode = ERRORS.CONFIG_INVALID.exitCode;
    });
}

function isSound(problems: readonly ConfigProblem[]): boolean {
  return problems.every(({ severity }) => severity === "warning");
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
  readonly slots: readonly PlannedSlot[];
}

function summaryOf(config: Config, slots: readonly PlannedSlot[]): Summary {
  const { file, dataDir, server, sources, destinations } = config;
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
    slots,
  };
}

function doorsOf(source: Config["sources"][number]): string {
  if (source.type === "pull")
    return `asked ${source.schedule ? `on ${scheduleText(source.schedule)}` : "by prickle sync"}`;
  const { writeKeys, anyWriteKey, webhook } = source;
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

export function scheduleText({ cron, timeZone }: NonNullable<PullSourceConfig["schedule"]>): string {
  return `${cron} (${timeZone})`;
}

function showProblems(problems: readonly ConfigProblem[], paint: Colors): string {
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

function showSummary(summary: Summary, paint: Colors): string {
  const { file, dataDir, listensOn, sources, destinations, slots } = summary;
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
    "",
    showSlots(slots, paint),
  ].join("\n");
}
