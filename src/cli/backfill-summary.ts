/** What a backfill came to, for people. */

import type { BackfillSummary } from "../core/operations.ts";
import type { RehearsalSummary } from "../core/rehearsal.ts";
import type { Colors } from "./invocation.ts";
import { type Cost, showRehearsal } from "./show-rehearsal.ts";
import { cell, count, listOf, showTable, span } from "./show-table.ts";

/** More are not listed one by one. */
const MOST_LISTED = 20;

export function showDryRun(
  summary: BackfillSummary,
  dryRun: RehearsalSummary,
  cost: Cost | null,
  paint: Colors,
): string {
  const { records, tookMs, skipped, rejected } = summary;
  const again = dryRun.duplicates > 0 ? `, ${count(dryRun.duplicates)} of them known already` : "";
  const outside = skipped > 0 ? `, ${count(skipped)} outside the time asked for` : "";
  const refused = rejected > 0 ? `, ${count(rejected)} rejected` : "";
  const head = `${paint.bold(count(records))} records read in ${span(tookMs)}${again}${outside}${refused}. Nothing was kept or sent; it would come to:`;
  return [head, "", showRehearsal(dryRun, cost, paint), "", ...filesOf(summary, paint)].join("\n");
}

export function showSummary(summary: BackfillSummary, paint: Colors): string {
  const { records, resumedAt, messages, duplicates, rejected, rejectedByReason, skipped, tookMs } = summary;
  const { complete, reachedLimit } = summary;
  const read = records - resumedAt;
  const rate = tookMs > 0 ? `, ${count(Math.round((read / tookMs) * 1000))} a second` : "";
  const lines = [
    `${paint.bold(count(read))} records read in ${span(tookMs)}${rate}: ${count(messages)} messages, ` +
      `${count(duplicates)} seen before, ${count(rejected)} rejected`,
  ];
  if (resumedAt > 0) lines.push(`${count(resumedAt)} records had been read by an earlier run.`);
  if (skipped > 0) lines.push(`${count(skipped)} records lie outside the time asked for.`);
  if (rejected > 0) lines.push(paint.dim(`rejected: ${listOf(rejectedByReason)}; \`prickle rejections\` shows them`));
  const { saved, attributed, stale } = summary;
  if (saved + attributed + stale > 0) {
    const late = stale > 0 ? `, ${count(stale)} properties were older than what is known` : "";
    lines.push(`${count(attributed)} events gained a group; ${count(saved)} group identifies said nothing new${late}.`);
  }
  lines.push(...filesOf(summary, paint));
  if (reachedLimit) lines.push(paint.yellow("Stopped at its limit of events: the same command goes on from here."));
  else if (!complete)
    lines.push(paint.yellow("Stopped before the end: nothing is lost, the same command goes on from here."));
  return lines.join("\n");
}

/** What each was taken for; of several, what each brought too. */
function filesOf({ files, leftOut }: BackfillSummary, paint: Colors): readonly string[] {
  const [first, ...others] = files;
  const abouts = [...new Set(files.map(({ about }) => about))].map((about) => paint.dim(`read as ${about}`));
  const table = first && others.length > 0 ? ["", tableOf(files.slice(-MOST_LISTED), paint)] : [];
  const more =
    files.length > MOST_LISTED ? [paint.dim(`and ${files.length - MOST_LISTED} before them; --json lists all`)] : [];
  const left = leftOut.slice(0, MOST_LISTED).map(({ path, why }) => paint.dim(`left out: ${path} (${why})`));
  return [...abouts, ...table, ...more, ...left, ...fallingOf(files, paint)];
}

function fallingOf(files: BackfillSummary["files"], paint: Colors): readonly string[] {
  const [first, ...others] = files.filter(({ timesFall }) => timesFall);
  if (!first) return [];
  const more = others.length === 0 ? "" : ` and ${count(others.length)} more files`;
  return [
    paint.yellow(
      `The times in ${cell(first.path, Number.POSITIVE_INFINITY)}${more} fall: ` +
        "history leaves in the order of the file, the newest first.",
    ),
  ];
}

function tableOf(files: BackfillSummary["files"], paint: Colors): string {
  const numbers = ["records", "messages", "seen before", "rejected", "skipped"];
  const columns = [{ name: "file" }, ...numbers.map((name) => ({ name, align: "right" as const }))];
  const rows = files.map(({ path, records, resumedAt, messages, duplicates, rejected, skipped }) => [
    cell(path, Number.POSITIVE_INFINITY),
    ...[records - resumedAt, messages, duplicates, rejected, skipped].map(count),
  ]);
  return showTable(columns, rows, paint);
}
