/** `@lookup`: a value through a table of the mapping or of a CSV file. prickle's own. */

import { createRequire } from "node:module";
import type { JsonValue } from "../../json.ts";
import { lazily } from "../../lazy.ts";
import { complain, describe, type Expression, inside, nothing, type Scope, suggestion, warn } from "../scope.ts";
import { type Arguments, readArguments } from "./arguments.ts";
import { readOtherwise } from "./otherwise.ts";

const require = createRequire(import.meta.url);
const papa = lazily((): typeof import("papaparse") => require("papaparse"));

type Table = ReadonlyMap<string, JsonValue>;

/** `{value, table}`, or `{value, file, from, to}` with the names of two columns. Numbers and booleans are looked up as text. */
export function compileLookup(argument: unknown, scope: Scope): Expression {
  const optional = ["table", "file", "from", "to", "otherwise"];
  const given = readArguments(argument, scope, { needed: ["value"], optional });
  if (!given) return nothing;
  const value = given.value("value");
  const allowed = "a value of the table is needed";
  const otherwise = readOtherwise(given, scope, { fallback: "omit", allowed });
  const table = readTable(given, scope);
  if (table === null) return nothing;
  return (data, run) => {
    const found = value(data, run);
    if (found === undefined || found === null) return found;
    const known = typeof found === "object" ? undefined : table.get(String(found));
    return known === undefined ? otherwise(run, found, describe(found)) : known;
  };
}

function readTable(given: Arguments, scope: Scope): Table | null {
  if (given.has("table") === given.has("file")) {
    complain(scope, 'either "table" or "file" is needed');
    return null;
  }
  if (given.has("file")) return readCsv(given, scope);
  for (const column of ["from", "to"])
    if (given.has(column)) complain(inside(scope, column), "names a column of a file; there is none");
  return new Map(Object.entries(given.table("table") ?? {}));
}

function readCsv(given: Arguments, scope: Scope): Table | null {
  const at = inside(scope, "file");
  const read = scope.environment.readFile(given.text("file", ""), scope.file);
  if ("absent" in read) {
    complain(at, read.absent);
    return null;
  }
  const rows = papa().parse<Record<string, string>>(read.text.replace(/^\uFEFF/, ""), {
    header: true,
    skipEmptyLines: true,
  });
  const [from, to] = ["from", "to"].map((column) => readColumn(column, rows.meta.fields ?? [], given, scope));
  if (from === undefined || to === undefined) return null;
  return tableOf(rows.data, { from, to }, at);
}

function readColumn(key: string, columns: readonly string[], given: Arguments, scope: Scope): string | undefined {
  if (!given.has(key)) return void complain(scope, `"${key}" is missing: the name of a column`);
  const column = given.text(key, "");
  if (columns.includes(column)) return column;
  const allowed = columns.length > 0 ? `${columns.join(", ")} are allowed` : "the file has no columns";
  return void complain(inside(scope, key), `found ${describe(column)}; ${allowed}.${suggestion(column, columns)}`);
}

/** Of rows with one key the first counts. */
function tableOf(
  rows: readonly Record<string, string>[],
  { from, to }: { readonly from: string; readonly to: string },
  scope: Scope,
): Table {
  const table = new Map<string, JsonValue>();
  for (const row of rows) {
    const [key, value] = [row[from], row[to]];
    if (key === undefined || value === undefined) continue;
    const known = table.get(key);
    if (known === undefined) table.set(key, value);
    else if (known !== value) warn(scope, `${describe(key)} is there twice, with different values: the first counts`);
  }
  return table;
}
