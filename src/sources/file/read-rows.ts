/** What the rows of a page of a table say: each an object by the names of its columns. An empty cell is null. */

import { isUtf8 } from "node:buffer";
import type { JsonObject } from "../../core/json.ts";
import type { Rejection, SourceRecord } from "../../core/record.ts";
import type { RawPage } from "../../platform/files/slicer.ts";
import { parseRows } from "../../platform/files/table-text.ts";
import { type ReadLineOptions, refuseTooLong } from "./read-page.ts";

export interface Table {
  readonly delimiter: string;
  /** Names of the columns as records have them. */
  readonly names: readonly string[];
  /** A row that is no valid UTF-8 is Windows-1252. */
  readonly guessesEncoding: boolean;
}

type TableOptions = Table & ReadLineOptions;

const windows1252 = new TextDecoder("windows-1252");

/** Hands over what each row says, one at a time; those that cannot be read become rejections. */
export function visitRows(
  page: RawPage,
  options: TableOptions,
  visit: (outcome: SourceRecord | Rejection, line: number) => void,
): void {
  for (const { line, length } of page.tooLong) visit(refuseTooLong(line, length, options), line);
  for (const { line, detail, text } of page.broken ?? [])
    visit(refuse(line, `${detail}.`, decodeCells([text], options)[0] ?? "", options), line);
  const lineOf = createLineCounter(page);
  for (const cells of rowsOf(page, options)) {
    const line = lineOf(cells);
    if (cells.length > 1 || cells[0] !== "") visit(readRow(cells, line, options), line);
  }
}

function rowsOf({ bytes }: RawPage, { delimiter, ...options }: TableOptions): Iterable<readonly string[]> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!options.guessesEncoding || isUtf8(buffer)) return parseRows(buffer.toString("utf8"), delimiter);
  // Each byte a character, which quotes and delimiters survive: then row by row.
  return parseRows(buffer.toString("latin1"), delimiter).map((cells) => decodeCells(cells, options));
}

/** Of cells in which each byte is a character. */
function decodeCells(
  cells: readonly string[],
  { guessesEncoding }: Pick<TableOptions, "guessesEncoding">,
): readonly string[] {
  const bytes = cells.map((cell) => Buffer.from(cell, "latin1"));
  const isSound = !guessesEncoding || bytes.every((cell) => isUtf8(cell));
  return bytes.map((cell) => (isSound ? cell.toString("utf8") : windows1252.decode(cell)));
}

/** Rows stand on one line each, but for those with line ends in their cells; a page with lines left out says which. */
function createLineCounter({ firstLine, tooLong, broken = [] }: RawPage): (cells: readonly string[]) => number {
  const leftOut = new Set([...tooLong, ...broken].map(({ line }) => line));
  let next = firstLine;
  return (cells) => {
    while (leftOut.has(next)) next += 1;
    const line = next;
    next += 1;
    for (const cell of cells) for (let at = cell.indexOf("\n"); at >= 0; at = cell.indexOf("\n", at + 1)) next += 1;
    return line;
  };
}

function readRow(cells: readonly string[], line: number, options: TableOptions): SourceRecord | Rejection {
  const { path, source, receivedAt, names } = options;
  if (cells.length !== names.length) {
    const detail = `the row has ${cells.length} cells; the header names ${names.length} columns.`;
    return refuse(line, detail, [...cells], options);
  }
  const row: JsonObject = {};
  for (const [index, name] of names.entries()) row[name] = cells[index] || null;
  const position = `${path}:${line}`;
  const outcome = options.readLine(row, { source, receivedAt, position });
  return "reason" in outcome ? { ...outcome, detail: `${position}: ${outcome.detail}` } : outcome;
}

function refuse(
  line: number,
  detail: string,
  payload: string | string[],
  { path, source, receivedAt }: TableOptions,
): Rejection {
  return { source, recordId: null, reason: "broken_row", detail: `${path}:${line}: ${detail}`, receivedAt, payload };
}
