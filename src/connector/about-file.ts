/** What a file was found to be and how it is read, in a sentence: what somebody has to see before he trusts the rest. */

import type { Layout } from "../sources/file/layout.ts";
import type { RowForm } from "../sources/file/row-names.ts";
import type { RowReading } from "../sources/file/row-reader.ts";

export interface AboutParts {
  readonly layout: Layout;
  readonly form: RowForm;
  readonly rows: RowReading | null;
  /** How the file itself calls a column. */
  readonly originalOf: (name: string | null) => string | null;
}

const FORMS: Readonly<Record<RowForm, string>> = {
  segment: "Segment calls",
  hubspot: "companies of HubSpot",
  salesforce: "records of Salesforce",
  rows: "rows as they stand",
};

const DELIMITERS: Readonly<Record<string, string>> = { ",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars" };

export function aboutFile({ layout, form, rows, originalOf }: AboutParts): string {
  const what = `${formatOf(layout)}: ${FORMS[form]}`;
  if (!rows) return what;
  const { idColumn, timeColumn, zone } = rows;
  const id = idColumn === null ? "known by their content" : `id from ${quoted(originalOf(idColumn))}`;
  const time =
    timeColumn === null
      ? "no column tells their time, so it is that of this run"
      : `time from ${quoted(originalOf(timeColumn))}`;
  return `${what}, ${id}, ${time}, times without zone in ${zone ?? "UTC"}`;
}

function formatOf(layout: Layout): string {
  if (layout.format === "parquet") return "Parquet";
  const encoding = layout.encoding === "utf-8" ? "" : `, ${layout.encoding}`;
  if (layout.format === "lines") return `JSON lines${encoding}`;
  return `a table with ${DELIMITERS[layout.delimiter] ?? layout.delimiter}${encoding}`;
}

function quoted(name: string | null): string {
  return `"${name ?? ""}"`;
}
