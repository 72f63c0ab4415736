/** A Parquet file as pages of JSON lines, so that threads can read and map them like any other. */

import type { OpenFile } from "../../platform/files/open-file.ts";
import { MAX_PAGE_BYTES, type RawPage } from "../../platform/files/slicer.ts";
import type { CutPage } from "./cut-pages.ts";
import { openParquet } from "./parquet.ts";

/** From row `begin` on. In its pages a line is a row, and a page's length is told in rows. */
export async function* cutParquet(
  opened: OpenFile,
  begin: number,
  pageRows: number,
): AsyncGenerator<CutPage | { readonly failure: unknown }> {
  try {
    const { stretches, rows, read } = await openParquet(opened);
    for (const { from, to } of stretches) {
      if (to <= begin) continue;
      const lines = (await read({ from, to })).slice(Math.max(0, begin - from));
      for (const page of pagesOf(lines, Math.max(begin, from), pageRows)) {
        const done = page.firstLine - 1 + page.lines;
        yield { page, bytes: Math.floor((opened.size * done) / rows) };
      }
    }
  } catch (failure) {
    yield { failure };
  }
}

function* pagesOf(lines: readonly string[], before: number, pageRows: number): Generator<RawPage> {
  for (let at = 0; at < lines.length; ) {
    let end = at;
    for (let bytes = 0; end < lines.length && end - at < pageRows && bytes < MAX_PAGE_BYTES; end++)
      bytes += lines[end]?.length ?? 0;
    const text = Buffer.from(`${lines.slice(at, end).join("\n")}\n`);
    const bytes = new Uint8Array(text.length);
    bytes.set(text);
    yield { bytes, firstLine: before + at + 1, lines: end - at, tooLong: [], length: end - at };
    at = end;
  }
}
