/** Trends in the terminal: a chart of the largest series, and all of them as a table. */

import plot, { type Settings } from "simple-ascii-chart";
import type { TrendSeries, Trends } from "../core/analytics.ts";
import type { Colors } from "./invocation.ts";
import { cell, count, showTable } from "./show-table.ts";

const CHART_HEIGHT = 10;
const SERIES_CHARTED = 4;
const SERIES_SHOWN = 8;
const LEAST_POINTS = 3;
const SERIES_COLORS = ["ansiCyan", "ansiYellow", "ansiMagenta", "ansiGreen"] as const;

export function showTrends(
  { groupType, event, interval, series }: Trends,
  { paint, width }: { readonly paint: Colors; readonly width: number },
): string {
  const title = paint.bold(`${groupType} with ${event === null ? "any event" : `"${cell(event)}"`}, by ${interval}`);
  const largest = series.toSorted((one, other) => other.total - one.total);
  const starts = largest[0]?.points.map(({ start }) => start) ?? [];
  if (starts.length === 0) return `${title}\nNo such event.`;
  const shown = largest.slice(0, SERIES_SHOWN);
  const left = largest.length - shown.length;
  const note = left > 0 ? paint.dim(`\n${count(left)} smaller series left out: --json has them all`) : "";
  const chart =
    starts.length < LEAST_POINTS ? "" : `${showChart(largest.slice(0, SERIES_CHARTED), starts, { paint, width })}\n`;
  return `${title}\n${chart}\n${showPoints(shown, starts, paint)}${note}`;
}

function showChart(
  series: readonly TrendSeries[],
  starts: readonly string[],
  { paint, width }: { readonly paint: Colors; readonly width: number },
): string {
  const lines = series.map(({ points }) =>
    points.map(({ uniqueGroups }, index): [number, number] => [index, uniqueGroups]),
  );
  const most = Math.max(1, ...lines.flat().map(([, groups]) => groups));
  const settings: Settings = {
    width: Math.max(20, Math.min(width - 20, 100)),
    height: CHART_HEIGHT,
    yRange: [0, most],
    customXAxisTicks: ticks(starts.length),
    formatter: (value, { axis }) => (axis === "x" ? (starts[value]?.slice(0, 10) ?? "") : count(Math.round(value))),
  };
  if (paint.isColorSupported) settings.color = SERIES_COLORS.slice(0, lines.length);
  if (lines.length > 1) settings.legend = { position: "bottom", series: series.map(nameOf) };
  return plot(lines, settings).trimEnd();
}

/** First, last and the middle: dates are wide. */
function ticks(points: number): number[] {
  return [0, Math.floor((points - 1) / 2), points - 1];
}

function showPoints(series: readonly TrendSeries[], starts: readonly string[], paint: Colors): string {
  const isSingle = series.length === 1 && series[0]?.breakdownValue === null;
  const columns = [
    { name: "from" },
    ...series.map((one) => ({ name: isSingle ? "groups" : nameOf(one), align: "right" as const })),
  ];
  const rows = starts.map((start, index) => [
    start,
    ...series.map(({ points }) => count(points[index]?.uniqueGroups ?? 0)),
  ]);
  const totals = ["in all", ...series.map(({ total }) => paint.bold(count(total)))];
  return showTable(columns, [...rows, totals], paint);
}

function nameOf({ breakdownValue }: TrendSeries): string {
  return breakdownValue === null ? "(none)" : cell(breakdownValue, 20);
}
