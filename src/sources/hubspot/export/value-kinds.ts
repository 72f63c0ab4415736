/** Kinds of values: a property, and what an export may do to a text of that form. */

import type { ExportRow } from "./export-table.ts";

export type ValueForm = "empty" | "plain" | "long" | "lines" | "sign";

export interface KindsOfColumn {
  readonly name: string;
  readonly kinds: Readonly<Record<ValueForm, string>>;
}

/** Spreadsheets have a limit for cells. */
const LONG = 1000;
/** What spreadsheets would take for a formula: exports may guard against it. */
const FORMULA = /^[\s'"]*[=+\-@]/;

/** Made once: a row has no time to put texts together. */
export function kindsOfColumn(name: string): KindsOfColumn {
  const of = (form: ValueForm) => kindOf(name, form);
  return {
    name,
    kinds: { empty: of("empty"), plain: of("plain"), long: of("long"), lines: of("lines"), sign: of("sign") },
  };
}

/** In the order of the columns. */
export function kindsOf({ cells }: ExportRow, columns: readonly KindsOfColumn[]): readonly string[] {
  return columns.map(({ name, kinds }) => kinds[formOf(cells[name] ?? "")]);
}

export function kindOf(name: string, form: ValueForm): string {
  return `${form} ${name}`;
}

export function columnIn(kind: string): string {
  return kind.slice(kind.indexOf(" ") + 1);
}

function formOf(text: string): ValueForm {
  if (text === "") return "empty";
  if (text.length > LONG) return "long";
  if (/[\r\n]/.test(text)) return "lines";
  return FORMULA.test(text) ? "sign" : "plain";
}
