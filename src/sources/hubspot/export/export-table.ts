/** What an export's table says: which column is which, and its rows by internal names. */

import { PrickleError } from "../../../core/errors.ts";
import { findRowEnd } from "../../../platform/files/row-end.ts";
import type { RawPage } from "../../../platform/files/slicer.ts";
import { parseRows } from "../../../platform/files/table-text.ts";

export interface ExportRow {
  readonly id: string;
  /** By internal name; an empty one is "". */
  readonly cells: Readonly<Record<string, string>>;
}

/** A row that cannot be read. */
export interface BrokenExportRow {
  /** Null: not even that can be told. */
  readonly id: string | null;
  readonly detail: string;
}

export const ID_COLUMN = "hs_object_id";
export const DELIMITER = ",";
const MAX_HEADER_BYTES = 1024 * 1024;
const BYTE_ORDER_MARK = "\ufeff";

export interface Columns {
  readonly count: number;
  readonly places: readonly (readonly [name: string, place: number])[];
  readonly idPlace: number;
}

/**
 * Holds bytes back until the first row, which names the columns, is whole. A file without a byte has none.
 * @throws SOURCE_CHANGED when a column is missing
 */
export function createHeaderReader(file: string, names: readonly string[]) {
  let held: Buffer = Buffer.alloc(0);
  let known: Columns | null = null;

  function look(isLast: boolean): Buffer | null {
    const from = held.indexOf(BYTE_ORDER_MARK) === 0 ? Buffer.byteLength(BYTE_ORDER_MARK) : 0;
    const found = findRowEnd(held, from, DELIMITER.charCodeAt(0), isLast);
    if (found.kind === "unfinished" && held.length < MAX_HEADER_BYTES) return null;
    const end = found.kind === "row" ? found.end : Math.min(held.length, MAX_HEADER_BYTES);
    const [cells = []] = parseRows(held.toString("utf8", from, end), DELIMITER);
    known = columnsOf(cells, names, file);
    return held;
  }

  return {
    columns() {
      if (!known) throw new RangeError("no header was read");
      return known;
    },
    take(part: Uint8Array): Uint8Array | null {
      if (known) return part;
      held = Buffer.concat([held, part]);
      return look(false);
    },
    finish: () => (known || held.length === 0 ? null : look(true)),
  };
}

function columnsOf(cells: readonly string[], names: readonly string[], file: string): Columns {
  const found = cells.map((cell) => cell.trim());
  const missing = names.filter((name) => !found.includes(name));
  if (missing.length > 0) throw lacking(missing, found, file);
  const places = names.map((name) => [name, found.indexOf(name)] as const);
  return { count: found.length, places, idPlace: found.indexOf(ID_COLUMN) };
}

/** Rows of the file `name`, and those that cannot be read. */
export function readExportRows(raw: RawPage, columns: Columns, name: string) {
  const rows: ExportRow[] = [];
  const broken: BrokenExportRow[] = [
    ...raw.tooLong.map(({ line, length }) => ({ id: null, detail: `${name}:${line}: the row has ${length} bytes` })),
    ...(raw.broken ?? []).map(({ line, detail }) => ({ id: null, detail: `${name}:${line}: ${detail}` })),
  ];
  const text = Buffer.from(raw.bytes.buffer, raw.bytes.byteOffset, raw.bytes.byteLength).toString("utf8");
  for (const cells of parseRows(text, DELIMITER)) {
    if (cells.length === 1 && cells[0] === "") continue;
    const row = readRow(cells, columns, `${name}, a row from line ${raw.firstLine} on`);
    if ("cells" in row) rows.push(row);
    else broken.push(row);
  }
  return { rows, broken };
}

function readRow(cells: readonly string[], columns: Columns, place: string): ExportRow | BrokenExportRow {
  const said = cells[columns.idPlace] ?? "";
  const id = /^\d+$/.test(said) ? said : null;
  if (cells.length !== columns.count) {
    const detail = `${place}: it has ${cells.length} cells; the header names ${columns.count} columns`;
    // In another place than the first the id may be what another cell ran over.
    return { id: columns.idPlace === 0 ? id : null, detail };
  }
  if (id === null) return { id, detail: `${place}: ${JSON.stringify(said.slice(0, 40))} is no ${ID_COLUMN}` };
  return { id, cells: Object.fromEntries(columns.places.map(([name, at]) => [name, cells[at] ?? ""])) };
}

const MOST_TOLD = 10;

function lacking(missing: readonly string[], found: readonly string[], file: string): PrickleError {
  const told = found.slice(0, MOST_TOLD).map((name) => JSON.stringify(name.slice(0, 40)));
  const more = found.length > MOST_TOLD ? " …" : "";
  const message = `HubSpot's export has no column ${missing.join(", ")}: ${file} has ${told.join(", ")}${more}.`;
  return new PrickleError("SOURCE_CHANGED", message, {
    hint: "`fullBy: list` of the source reads what exports do not have.",
  });
}
