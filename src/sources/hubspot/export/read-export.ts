/** The rows of an export's file: one CSV, also in gzip, or several in a zip, page by page. */

import { sniffCompression } from "../../../platform/files/compression.ts";
import { type FilePlace, type OpenFile, openFile, readAt } from "../../../platform/files/open-file.ts";
import { createRowSlicer } from "../../../platform/files/row-slicer.ts";
import type { RawPage } from "../../../platform/files/slicer.ts";
import { unpacked } from "../../../platform/files/unpacked.ts";
import { listZip } from "../../../platform/files/zip.ts";
import { type BrokenExportRow, createHeaderReader, DELIMITER, type ExportRow, readExportRows } from "./export-table.ts";

export interface ExportFilePage {
  readonly rows: readonly ExportRow[];
  readonly broken: readonly BrokenExportRow[];
  /** Rows of the file up to its end, broken ones included: the same for the same file. */
  readonly end: number;
}

export interface ReadExportOptions {
  /** Columns to read, the id among them. */
  readonly names: readonly string[];
  readonly pageRows: number;
}

const MAX_ROW_BYTES = 4 * 1024 * 1024;

/** @throws SOURCE_CHANGED when a column is missing; INPUT_INVALID when the file is damaged or cut short */
export async function* readExport(path: string, options: ReadExportOptions): AsyncGenerator<ExportFilePage> {
  let before = 0;
  for (const place of await placesIn(path)) {
    const opened = await openFile(place);
    try {
      for await (const page of tablePages(opened, place.entry?.name ?? "the export", options)) {
        before += page.rows.length + page.broken.length;
        yield { ...page, end: before };
      }
    } finally {
      await opened.file.close();
    }
  }
}

async function placesIn(path: string): Promise<readonly FilePlace[]> {
  const opened = await openFile({ path });
  try {
    if (sniffCompression(await readAt(opened, 0, 4)) !== "zip") return [{ path }];
  } finally {
    await opened.file.close();
  }
  const entries = (await listZip(path)).toSorted((one, other) =>
    one.name.localeCompare(other.name, "en", { numeric: true }),
  );
  return entries.map((entry) => ({ path, entry }));
}

async function* tablePages(
  opened: OpenFile,
  name: string,
  options: ReadExportOptions,
): AsyncGenerator<Omit<ExportFilePage, "end">> {
  const limits = { lines: 0, pageLines: options.pageRows, maxLineBytes: MAX_ROW_BYTES };
  const slicer = createRowSlicer({ ...limits, delimiter: DELIMITER.charCodeAt(0), hasHeader: true });
  const header = createHeaderReader(name, options.names);
  const pageOf = (raw: RawPage) => {
    const page = readExportRows(raw, header.columns(), name);
    slicer.reuse(raw.bytes.buffer);
    return page;
  };
  for await (const { parts } of unpacked(opened)) {
    for (const part of parts) {
      const known = header.take(part);
      if (known) for (const raw of slicer.push(known)) yield pageOf(raw);
    }
  }
  const rest = header.finish();
  if (rest) for (const raw of slicer.push(rest)) yield pageOf(raw);
  for (const raw of slicer.finish({ isWhole: true })) yield pageOf(raw);
}
