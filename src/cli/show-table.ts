/** Tables and figures as the commands print them. */

import Table from "cli-table3";
import type { JsonValue } from "../core/json.ts";
import type { Colors } from "./invocation.ts";

export interface Column {
  readonly name: string;
  readonly align?: "left" | "right";
}

const MAX_CELL = 48;

/** Without lines, two spaces between columns. */
export function showTable(columns: readonly Column[], rows: readonly (readonly string[])[], paint: Colors): string {
  const table = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 2 },
    colAligns: columns.map(({ align = "left" }) => align),
    head: columns.map(({ name }) => paint.dim(name)),
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

export function count(number: number): string {
  return number.toLocaleString("en-US");
}

/** A value on one line, cut where it is long; control characters cannot reach the terminal. */
export function cell(value: JsonValue | undefined, most = MAX_CELL): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number") return count(value);
  const text = (typeof value === "string" ? value : JSON.stringify(value)).replace(/\p{Cc}+/gu, " ");
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** To the second, UTC; a dash for none. */
export function time(ms: number | null): string {
  return ms === null ? "–" : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

export function bytes(size: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, size < 1 ? 0 : Math.floor(Math.log10(size) / 3));
  return `${(size / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** As in 1h 02m, 4m 10s, 9 s. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const two = (part: number) => part.toString().padStart(2, "0");
  if (seconds >= 172_800) return `${Math.floor(seconds / 86_400)} days`;
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)}h ${two(Math.floor(seconds / 60) % 60)}m`;
  if (seconds >= 60) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  return `${seconds} s`;
}

export function listOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, one], [, other]) => other - one)
    .map(([name, number]) => `${name} ${count(number)}`)
    .join(", ");
}

const NO_LINES = Object.fromEntries(
  [
    ...["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"],
    ...["left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"],
  ].map((name) => [name, ""]),
);
