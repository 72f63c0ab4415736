/** The page `prickle start` prints: what went in, what came out, who the customers are, where to go next. At most 100 columns. */

import { stripVTControlCharacters } from "node:util";
import type { Colors } from "./invocation.ts";
import type { SampleReport } from "./sample-report.ts";
import { cell, count, listOf, showTable } from "./show-table.ts";

const LABEL_WIDTH = 12;
const BAR_WIDTH = 60;
const MOST_OF_A_NAME = 26;
const COMPANY_COLUMNS = ["plan", "seats", "mrr", "industry", "country", "status"] as const;
const NUMBERS: ReadonlySet<string> = new Set(["seats", "mrr"]);

export function showSample(report: SampleReport, paint: Colors): string {
  return [
    paint.bold("prickle") + paint.dim(" · ninety days of Plankton, an invented planning tool, through the real doors"),
    showCounts(report, paint),
    showCompanies(report, paint),
    showWeeks(report, paint),
    showServer(report, paint),
    showNext(report, paint),
  ].join("\n\n");
}

function showCounts({ in: taken, out, groupTypes }: SampleReport, paint: Colors): string {
  const calls = `${paint.bold(count(taken.calls))} calls in ${(taken.tookMs / 1000).toFixed(1)} s`;
  const doors = `signed webhook ${count(taken.byDoor.webhook)} · tracking API ${count(taken.byDoor.tracking)}`;
  const delivered = `${paint.bold(count(out.delivered))} messages delivered to the engine`;
  const known = `${plural(out.attributed, "event")} gained a group by who did them · ${plural(out.saved, "group call")} said nothing new`;
  const left = `${plural(out.duplicates, "duplicate")} left out · ${count(out.rejected)} rejected · ${count(out.dead)} dead`;
  const types = groupTypes.map(({ groupType, groups }) => `${groupType} ${count(groups)}`).join(" · ");
  return [
    row(paint.bold("in"), `${calls}, ${count(taken.requests)} requests${madeAgain(taken.retries)}`),
    row("", doors),
    row("", listOf(taken.byType)),
    row(paint.bold("out"), delivered),
    row("", known),
    row("", left),
    ...(out.rejected > 0 ? [row("", paint.dim(`rejected: ${listOf(out.rejectedByReason)}`))] : []),
    ...(out.playedBefore ? [row("", paint.green("All of it had come before: every call was known again."))] : []),
    row(paint.bold("group types"), types),
  ].join("\n");
}

function showCompanies({ companies: { top, total } }: SampleReport, paint: Colors): string {
  const title = paint.bold("companies") + paint.dim(`  the ${top.length} with the highest mrr, of ${count(total)}`);
  const columns = ["name", "key", ...COMPANY_COLUMNS].map((name) => ({
    name,
    align: NUMBERS.has(name) ? ("right" as const) : ("left" as const),
  }));
  const rows = top.map(({ name, groupKey, properties }) => [
    cell(name, MOST_OF_A_NAME),
    cell(groupKey, MOST_OF_A_NAME),
    ...COMPANY_COLUMNS.map((column) => cell(properties[column], MOST_OF_A_NAME)),
  ]);
  return `${title}\n${showTable(columns, rows, paint).replace(/^/gm, "  ")}`;
}

function showWeeks({ weeklyActive }: SampleReport, paint: Colors): string {
  const most = Math.max(1, ...weeklyActive.map(({ uniqueGroups }) => uniqueGroups));
  const lines = weeklyActive.map(({ start, uniqueGroups }) => {
    const bar = "█".repeat(Math.round((uniqueGroups / most) * BAR_WIDTH));
    return `  ${paint.dim(start)}  ${paint.cyan(bar)} ${uniqueGroups}`;
  });
  return [paint.bold("active companies") + paint.dim("  with any event, by week from"), ...lines].join("\n");
}

function showServer({ server: { url, busyPort, source, dataDir } }: SampleReport, paint: Colors): string {
  const taken = busyPort === null ? "" : paint.dim(`  (port ${busyPort} was taken)`);
  return [
    `${paint.bold("listening")}  ${paint.underline(url)}${taken}`,
    row("webhook", `POST /webhooks/${source}`),
    row("tracking API", "POST /v1/batch, /v1/track, /v1/group, … as Segment's"),
    row("PostHog API", "POST /batch/, /i/v0/e/, /capture/, /i/v1/analytics/events"),
    row("operations", "GET  /metrics, /healthz, /readyz"),
    row("data", dataDir),
  ].join("\n");
}

function showNext({ server: { url, writeKey, dataDir } }: SampleReport, paint: Colors): string {
  const call = JSON.stringify({ userId: "u_1", groupId: "acme", traits: { name: "Acme", plan: "team" } });
  const where = dataDir === ".prickle" ? "" : ` --data-dir ${dataDir}`;
  return [
    paint.bold("next") + paint.dim("  in another terminal; the last line is for Segment's SDK"),
    `  npx prickle groups company${where}`,
    `  npx prickle trends --event "Task Completed" --group-type project${where}`,
    `  curl -u ${writeKey}: ${url}/v1/group \\`,
    "    -H 'content-type: application/json' \\",
    `    -d '${call}'`,
    `  new Analytics({ writeKey: "${writeKey}", host: "${url}" })`,
  ].join("\n");
}

function row(label: string, text: string): string {
  const padding = " ".repeat(LABEL_WIDTH + 2 - stripVTControlCharacters(label).length);
  return `  ${label}${padding}${text}`;
}

function madeAgain(retries: number): string {
  return retries === 0 ? "" : `, ${plural(retries, "request")} made again`;
}

function plural(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}
