/** Where each page of a file ends, added up one after the other. */

import type { Page, PreparedPage } from "../../core/source.ts";
import { type FileCursor, formatCursor } from "./cursor.ts";
import type { CutPage } from "./cut-pages.ts";
import type { PageContent } from "./file-source.ts";

/** What came of a page. `isEnd`: it is the last of the file. */
interface PageRead {
  readonly content: PageContent;
  readonly skipped: number;
  readonly isEnd: boolean;
}

/** Adds up what the pages had, one after the other. */
export function createPageCursors(start: FileCursor, totalBytes: number) {
  let { lines, records, offset } = start;
  let skipped = 0;
  const at = (bytes: number, isEnd: boolean) => ({
    cursor: formatCursor({ ...start, lines, records, offset, ...(isEnd ? { isEnd } : {}) }),
    progress: { records, bytes, totalBytes, ...(skipped > 0 ? { skipped } : {}) },
  });
  return {
    after({ page, bytes }: CutPage, read: PageRead): Page | PreparedPage {
      const { content, isEnd } = read;
      skipped += read.skipped;
      lines += page.lines;
      offset += page.length;
      records += countOf(content);
      return { ...content, ...at(bytes, isEnd) };
    },
    here: (): Page => ({ records: [], rejections: [], ...at(totalBytes, true) }),
  };
}

/** Records and rejections. */
export function countOf(content: PageContent): number {
  return "parcels" in content ? content.received : content.records.length + content.rejections.length;
}
