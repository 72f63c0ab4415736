/** A run as people read it. */

import type { Run } from "../core/runs.ts";
import type { Colors } from "./invocation.ts";
import { cell, count, listOf, span, time } from "./show-table.ts";

export function showRun(run: Run, paint: Colors): string {
  const { source, read, changed, removed, messages, saved, rejected, requests, warnings, startedAt, endedAt } = run;
  const refused = Object.values(rejected).reduce((sum, number) => sum + number, 0);
  const lines = [
    `${paint.bold(source)}, ${whatOf(run)}: ${count(read)} rows read, ${count(changed)} say something new, ${count(removed)} gone`,
    `${count(messages)} messages · ${count(saved)} rows changed nothing that is sent · ${count(refused)} rejected · ` +
      `${count(requests)} requests${endedAt === null ? "" : ` in ${span(endedAt - startedAt)}`}`,
  ];
  if (refused > 0) lines.push(paint.dim(`rejected: ${listOf(rejected)}; \`prickle rejections\` shows them`));
  for (const warning of warnings) lines.push(paint.yellow(`warning: ${cell(warning, 500)}`));
  const ending = endingOf(run);
  if (ending !== null) lines.push(paint.yellow(ending));
  return lines.join("\n");
}

export function whatOf({ kind, window }: Pick<Run, "kind" | "window">): string {
  if (kind === "full" || window === null) return "all rows";
  return `what changed from ${time(window.from)} to ${time(window.to)}`;
}

/** Null when it got to its end. */
function endingOf({ outcome, reason }: Run): string | null {
  if (outcome === "complete") return null;
  if (outcome === "partial") return `It did not get to its end: ${reason}. Nothing is lost: the next run goes on.`;
  return outcome === "failed" ? `It failed: ${reason}` : "It is under way, or prickle was killed in it.";
}
