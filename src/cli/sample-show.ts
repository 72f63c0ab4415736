/** The page `prickle start` prints: what went in, what came out, who the customers are, where to go next. */

import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";
import { createColors } from "picocolors";
import type { Group } from "../core/analytics.ts";
import type { JsonValue } from "../core/json.ts";
import type { SampleReport } from "./sample-report.ts";

type Colors = ReturnType<typeof createColors>;

/** Where the names of the columns at the left end. */
const LABEL_WIDTH = 12;
const MAX_CELL = 26;
const BAR_WIDTH = 60;
const COMPANY_COLUMNS = ["plan", "seats", "mrr", "industry", "country", "status"] as const;

/** At most 100 columns wide; `colors` off gives plain text. */
export function showSample(report: SampleReport, { colors }: { readonly colors: boolean }): string {
  const paint = createColors(colors);
  return [
    paint.bold("prickle") + paint.dim(" · ninety days of Plankton, an invented planning tool, through the real doors"),
    showCounts(report, paint),
    showCompanies(report, paint),
    showWeeks(report, paint),
    showServer(report, paint),
    showNext(report, paint),
    "",
  ].join("\n\n");
}

function showCounts({ in: taken, out, groupTypes }: SampleReport, paint: Colors): string {
  const seconds = (taken.tookMs / 1000).toFixed(1);
  const lines = [
    row(paint.bold("in"), `${paint.bold(count(taken.calls))} calls in ${seconds} s, ${count(taken.requests)} requests`),
    row("", `signed webhook ${count(taken.byDoor.webhook)} · tracking API ${count(taken.byDoor.tracking)}`),
    row("", listOf(taken.byType)),
    row(
      paint.bold("out"),
      `${paint.bold(count(out.delivered))} messages delivered to the engine${retriesOf(taken.retries)}`,
    ),
    row(
      "",
      `${plural(out.duplicates, "duplicate")} left out · ${count(out.rejected)} rejected · ${count(out.dead)} dead`,
    ),
  ];
  if (out.rejected > 0) lines.push(row("", paint.dim(`rejected: ${listOf(out.rejectedByReason)}`)));
  if (out.playedBefore) {
    lines.push(
      row("", paint.green("All of it had come before: every call was known again, and no number below moved.")),
    );
  }
  lines.push(
    row(
      paint.bold("group types"),
      groupTypes.map(({ groupType, groups }) => `${groupType} ${count(groups)}`).join(" · "),
    ),
  );
  return lines.join("\n");
}

function showCompanies({ companies }: SampleReport, paint: Colors): string {
  const table = new Table({
    chars: BORDERLESS,
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 2 },
    colAligns: ["left", "left", ...COMPANY_COLUMNS.map((column) => (NUMBERS.has(column) ? "right" : "left"))],
    head: ["name", "key", ...COMPANY_COLUMNS].map((name) => paint.dim(name)),
  });
  table.push(...companies.top.map(companyCells));
  const title =
    paint.bold("companies") +
    paint.dim(`  the ${companies.top.length} with the highest mrr, of ${count(companies.total)}`);
  return `${title}\n${indented(table.toString())}`;
}

const NUMBERS: ReadonlySet<string> = new Set(["seats", "mrr"]);
const BORDERLESS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};

function companyCells({ name, groupKey, properties }: Group): string[] {
  return [cell(name), cell(groupKey), ...COMPANY_COLUMNS.map((column) => cell(properties[column]))];
}

function showWeeks({ weeklyActive }: SampleReport, paint: Colors): string {
  const most = Math.max(1, ...weeklyActive.map(({ uniqueGroups }) => uniqueGroups));
  const lines = weeklyActive.map(({ start, uniqueGroups }) => {
    const bar = "█".repeat(Math.round((uniqueGroups / most) * BAR_WIDTH));
    return `  ${paint.dim(start)}  ${paint.cyan(bar)} ${uniqueGroups}`;
  });
  return [paint.bold("active companies") + paint.dim("  with any event, by week"), ...lines].join("\n");
}

function showServer({ server: { url, busyPort, source, dataDir } }: SampleReport, paint: Colors): string {
  const lines = [
    paint.bold("listening") +
      `  ${paint.underline(url)}${busyPort === null ? "" : paint.dim(`  (port ${busyPort} was taken)`)}`,
    row("webhook", `POST /webhooks/${source}`),
    row("tracking API", "POST /v1/batch, /v1/track, /v1/group, … as Segment's"),
    row("PostHog API", "POST /batch/, /i/v0/e/, /capture/"),
    row("operations", "GET  /metrics, /healthz, /readyz"),
    row("data", dataDir),
  ];
  return lines.join("\n");
}

function showNext({ server: { url, writeKey, dataDir } }: SampleReport, paint: Colors): string {
  const call = JSON.stringify({ userId: "u_1", groupId: "acme", traits: { name: "Acme", plan: "team" } });
  const where = dataDir === ".prickle" ? "" : ` --data-dir ${dataDir}`;
  const steps = [
    `npx prickle groups company${where}`,
    `npx prickle trends --event "Task Completed" --group-type project${where}`,
    `curl -u ${writeKey}: ${url}/v1/group \\\n    -H 'content-type: application/json' \\\n    -d '${call}'`,
    `new Analytics({ writeKey: "${writeKey}", host: "${url}" })`,
  ];
  return [
    paint.bold("next") + paint.dim("  in another terminal; the last line is for Segment's SDK"),
    ...steps.map((step) => `  ${step}`),
  ].join("\n");
}

function row(label: string, text: string): string {
  return `  ${label}${" ".repeat(Math.max(1, LABEL_WIDTH + 2 - stripVTControlCharacters(label).length))}${text}`;
}

function indented(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line.trimEnd()}`)
    .join("\n");
}

function listOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, number]) => `${name} ${count(number)}`)
    .join(", ");
}

function retriesOf(retries: number): string {
  return retries === 0 ? "" : `, ${plural(retries, "request")} made again`;
}

function plural(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

function cell(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number") return count(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > MAX_CELL ? `${text.slice(0, MAX_CELL - 1)}…` : text;
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
