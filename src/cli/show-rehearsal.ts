/** What a preview or a dry run says of messages, groups and money. */

import type { PreviewSummary } from "../connector/preview-summary.ts";
import type { RehearsalSummary } from "../core/rehearsal.ts";
import type { Colors } from "./invocation.ts";
import { cell, count, showTable } from "./show-table.ts";

/** In the unit of the price. */
export interface Cost {
  readonly all: number;
  /** When events of at least 48 hours ago are sent as history. */
  readonly withHistoryFree: number;
}

export function costOf(
  { billedEvents, historicalEvents }: RehearsalSummary,
  priceOfOne: number | undefined,
): Cost | null {
  if (priceOfOne === undefined) return null;
  return { all: billedEvents * priceOfOne, withHistoryFree: (billedEvents - historicalEvents) * priceOfOne };
}

export function showPreviewSummary(summary: PreviewSummary, cost: Cost | null, paint: Colors): string {
  const { records, duplicates } = summary;
  const again = duplicates > 0 ? `, ${count(duplicates)} of them again` : "";
  return [
    row("records", `${count(records)}${again}`, paint),
    ...totals(summary, cost, paint),
    "",
    showCounts("rule", summary.rules, paint),
    ...breakdown(summary, paint),
  ].join("\n");
}

export function showRehearsal(summary: RehearsalSummary, cost: Cost | null, paint: Colors): string {
  return [...totals(summary, cost, paint), "", ...breakdown(summary, paint)].join("\n");
}

function row(name: string, text: string, paint: Colors): string {
  return `${paint.dim(name.padEnd(14))}${text}`;
}

function totals(summary: RehearsalSummary, cost: Cost | null, paint: Colors): readonly string[] {
  const { billedEvents, historicalEvents, identifies, persons, attributed, stale, parked } = summary;
  const rows = [row("billed events", count(billedEvents), paint)];
  if (historicalEvents > 0)
    rows.push(row("history", `${count(historicalEvents)} of them at least 48 h old: free as history`, paint));
  if (cost) {
    const free = historicalEvents > 0 ? `, ${money(cost.withHistoryFree)} with history sent as such` : "";
    rows.push(row("cost", `${money(cost.all)}${free}`, paint));
  }
  const saved = identifies.mapped - identifies.sent;
  rows.push(
    row(
      "identifies",
      `${count(identifies.sent)} of ${count(identifies.mapped)}: ${count(saved)} say nothing new`,
      paint,
    ),
  );
  if (stale > 0) rows.push(row("stale", `${count(stale)} properties older than what is known`, paint));
  if (parked > 0) rows.push(row("parked", `${count(parked)} group identifies wait for an alias`, paint));
  rows.push(row("attributed", `${count(attributed)} events gain a group by who did them`, paint));
  rows.push(row("persons", `${count(persons)} distinct ids`, paint));
  for (const { groupType, created, onlyNamed } of summary.groupTypes) {
    const named = onlyNamed > 0 ? `, and ${count(onlyNamed)} that events name but nothing identifies` : "";
    rows.push(row("group type", `${paint.bold(groupType)}  ${count(created)} new groups${named}`, paint));
  }
  return rows;
}

function breakdown({ identifies, events, rejected }: RehearsalSummary, paint: Colors): readonly string[] {
  return [
    showCounts("message", { "group identify": identifies.sent, ...events }, paint),
    showCounts("rejected", rejected, paint),
  ];
}

/** To the cent, or finer where that is nothing. */
function money(amount: number): string {
  return amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: amount < 1 ? 6 : 2 });
}

/** The most frequent first. */
function showCounts(what: string, counts: Readonly<Record<string, number>>, paint: Colors): string {
  const rows = Object.entries(counts)
    .filter(([, number]) => number > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([name, number]) => [cell(name), count(number)]);
  return rows.length === 0 ? "" : `${showTable([{ name: what }, { name: "", align: "right" }], rows, paint)}\n`;
}
