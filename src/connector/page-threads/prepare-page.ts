/** Reads a page and maps it, one line at a time: the same work in whichever thread. */

import { compilePortable } from "../../core/mapping/portable.ts";
import type { MemoryPool } from "../../core/memory-pool.ts";
import type { Prepared } from "../../core/source.ts";
import { createPreparer } from "../../pipeline/prepare.ts";
import { MAX_LINE_BYTES } from "../../sources/file/file-source.ts";
import { visitLines } from "../../sources/file/read-page.ts";
import type { RawPage } from "../../sources/file/slicer.ts";
import { readLoggedCall } from "../../sources/segment/raw-log.ts";
import type { PageThreadOptions } from "./protocol.ts";

/** `pool`: where the parcels' memory comes from. */
export function createPagePreparer(
  { path, source, receivedAt, mapping, lanes, only }: PageThreadOptions,
  pool: MemoryPool,
): (page: RawPage) => Prepared {
  const prepareOptions = { mapping: compilePortable(mapping), lanes, isBackfill: true, ...(only ? { only } : {}) };
  const preparer = createPreparer(prepareOptions, pool);
  const options = { path, source, receivedAt, readLine: readLoggedCall, maxLineBytes: MAX_LINE_BYTES };
  return (page) => {
    preparer.clear();
    visitLines(page, options, preparer.add);
    return preparer.take();
  };
}
