/** The file of an export: a CSV with every cell in quotes, in gzip too, or a zip of several where there are many rows. */

import { gzipSync } from "node:zlib";
import yazl from "yazl";

export interface ExportForm {
  /** With more it is a zip of several files. */
  rowsPerFile: number;
  isGzipped: boolean;
  hasByteOrderMark: boolean;
  lineEnd: "\n" | "\r\n";
  /** How it writes a value. */
  writes: (name: string, text: string) => string;
  header: (names: readonly string[]) => readonly string[];
  /** The lines of a file as they are in the end, its header first. */
  edits: (lines: readonly string[]) => readonly string[];
}

interface Table {
  readonly names: readonly string[];
  readonly rows: readonly Readonly<Record<string, string | null>>[];
}

export async function exportFile({ names, rows }: Table, form: ExportForm): Promise<Buffer> {
  const header = lineOf(form.header(names));
  const lines = rows.map((row) => lineOf(names.map((name) => form.writes(name, row[name] ?? ""))));
  if (lines.length <= form.rowsPerFile) {
    const text = textOf([header, ...lines], form);
    return form.isGzipped ? gzipSync(text) : text;
  }
  const zip = new yazl.ZipFile();
  for (let at = 0; at < lines.length; at += form.rowsPerFile) {
    const name = `prickle-companies-${1 + at / form.rowsPerFile}.csv`;
    const text = textOf([header, ...lines.slice(at, at + form.rowsPerFile)], form);
    zip.addBuffer(text, name, { mtime: new Date(2026, 10, 1) });
  }
  zip.end();
  const parts: Buffer[] = [];
  for await (const part of zip.outputStream) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

function textOf(lines: readonly string[], { hasByteOrderMark, lineEnd, edits }: ExportForm): Buffer {
  const text = edits(lines)
    .map((line) => line + lineEnd)
    .join("");
  return Buffer.from((hasByteOrderMark ? "\ufeff" : "") + text);
}

function lineOf(cells: readonly string[]): string {
  return cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",");
}
