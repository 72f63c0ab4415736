/** `prickle doctor`: whether the PostHog projects of the configuration are ready for what prickle sends. */

import { Command } from "commander";
import { loadConfig } from "../config.ts";
import type { Check, Checkup, Verdict } from "../core/checkup.ts";
import { type Colors, invocationOf } from "./invocation.ts";

const PROBLEM = 1;

export function doctorCommand(): Command {
  return new Command("doctor")
    .summary("is the PostHog project ready for what prickle sends?")
    .description(
      "Looks at each PostHog project live: host, token, protocol and clock; with a personal API key also whose token it is,\n" +
        "free slots of group types, and settings that would drop what is sent. Sends no event and changes nothing; works\n" +
        `while \`prickle serve\` runs and without it. The exit code is ${PROBLEM} when there is a problem.`,
    )
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle doctor\n  $ prickle doctor --config deploy/prickle.yaml && prickle backfill history.jsonl.gz\n" +
        `  $ prickle doctor --json | jq '.destinations[].checks[] | select(.verdict != "ok")'`,
    )
    .action(async (_options, command: Command) => {
      const { configOptions, answer } = invocationOf(command);
      const { examine } = await import("../connector/doctor.ts");
      const destinations = await examine(loadConfig(configOptions));
      const ok = destinations.every(({ checks }) => checks.every(({ verdict }) => verdict !== "problem"));
      answer({ ok, destinations }, (paint) => showCheckups(destinations, paint));
      if (!ok) process.exitCode = PROBLEM;
    });
}

export function showCheckups(checkups: readonly Checkup[], paint: Colors): string {
  if (checkups.length === 0) return "There is no destination of type posthog: nothing to look at.";
  return checkups
    .map(({ destination, checks }) =>
      [paint.bold(destination), ...checks.flatMap((check) => showCheck(check, paint)), verdictOf(checks, paint)].join(
        "\n",
      ),
    )
    .join("\n\n");
}

const WIDEST = "group types since".length;
const INDENT = " ".repeat("left out  ".length + WIDEST + 2);

function showCheck({ name, verdict, found, means, todo }: Check, paint: Colors): readonly string[] {
  const lines = [`${colored(verdict, paint)}${name.padEnd(WIDEST)}  ${line(found)}`];
  if (means !== null) lines.push(`${INDENT}${paint.dim(line(means))}`);
  if (todo !== null) lines.push(`${INDENT}→ ${line(todo)}`);
  return lines;
}

/** What others answered must not reach the terminal as it is. */
function line(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}

function colored(verdict: Verdict, paint: Colors): string {
  const word = verdict.padEnd("left out  ".length);
  switch (verdict) {
    case "ok":
      return paint.green(word);
    case "warning":
      return paint.yellow(word);
    case "problem":
      return paint.red(word);
    case "left out":
      return paint.dim(word);
  }
}

function verdictOf(checks: readonly Check[], paint: Colors): string {
  const count = (wanted: Verdict) => checks.filter(({ verdict }) => verdict === wanted).length;
  const [problems, warnings, left] = [count("problem"), count("warning"), count("left out")];
  const said = [
    problems > 0 ? paint.red(`${problems} ${problems === 1 ? "problem" : "problems"}`) : paint.green("no problem"),
    ...(warnings > 0 ? [paint.yellow(`${warnings} ${warnings === 1 ? "warning" : "warnings"}`)] : []),
    ...(left > 0 ? [`${left} left out`] : []),
  ];
  return said.join(", ");
}
