/** Reads a page and maps it, one line or row at a time: the same work in whichever thread. */

import { compilePortable } from "../../core/mapping/portable.ts";
import type { MemoryPool } from "../../core/memory-pool.ts";
import type { Prepared } from "../../core/source.ts";
import { createPreparer } from "../../pipeline/prepare.ts";
import type { RawPage } from "../../platform/files/slicer.ts";
import { MAX_LINE_BYTES } from "../../sources/file/file-source.ts";
import { createRowReader } from "../../sources/file/row-reader.ts";
import { type ReadPageOptions, visitPage } from "../../sources/file/visit-page.ts";
import { readLoggedCall } from "../../sources/segment/raw-log.ts";
import type { FileReading, PageThreadOptions } from "./protocol.ts";

export interface PreparedRecords {
  readonly prepared: Prepared;
  /** Records outside the window. */
  readonly skipped: number;
}

/** `pool`: where the parcels' memory comes from. */
export function createPagePreparer(
  { mapping, lanes, only, ...reading }: PageThreadOptions,
  pool: MemoryPool,
): (page: RawPage) => PreparedRecords {
  const prepareOptions = { mapping: compilePortable(mapping), lanes, isBackfill: true, ...(only ? { only } : {}) };
  const preparer = createPreparer(prepareOptions, pool);
  const options = pageOptionsOf(reading);
  return (page) => {
    preparer.clear();
    const skipped = visitPage(page, options, preparer.add);
    return { prepared: preparer.take(), skipped };
  };
}

export function pageOptionsOf({ path, source, receivedAt, rows, table, window }: FileReading): ReadPageOptions {
  const readLine = rows ? createRowReader(rows) : readLoggedCall;
  return { path, source, receivedAt, readLine, maxLineBytes: MAX_LINE_BYTES, table, window };
}
