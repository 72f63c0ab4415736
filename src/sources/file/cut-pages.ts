/** Cuts a file into pages, from a place on. */

import type { OpenFile } from "../../platform/files/open-file.ts";
import { createRowSlicer } from "../../platform/files/row-slicer.ts";
import { createSlicer, type RawPage, type Slicer, type SlicerOptions } from "../../platform/files/slicer.ts";
import { openText } from "./contents.ts";
import type { FileCursor } from "./cursor.ts";
import type { Layout } from "./layout.ts";
import { cutParquet } from "./parquet-pages.ts";

/** A page, and how far the file had been read when it was cut. */
export interface CutPage {
  readonly page: RawPage;
  readonly bytes: number;
}

/** `reuse`: see `Slicer`. */
export interface Cutting {
  readonly pages: AsyncIterable<CutPage | { readonly failure: unknown }>;
  readonly reuse: Slicer["reuse"];
}

/** Where to begin: `offset` is in bytes of the text, in Parquet in rows. */
export type CutFrom = Pick<FileCursor, "offset" | "lines">;

/** All whole lines or rows after `start`; then, if there is, what is wrong with the file. */
export function cutFile(
  opened: OpenFile,
  layout: Layout,
  { offset, lines }: CutFrom,
  limits: Omit<SlicerOptions, "lines">,
): Cutting {
  if (layout.format === "parquet")
    return { pages: cutParquet(opened, offset, limits.pageLines), reuse: () => undefined };
  const slicer = createSlicerOf(layout, { ...limits, lines }, offset === 0);
  return { pages: cutText(opened, offset, layout, slicer), reuse: slicer.reuse };
}

function createSlicerOf(layout: Exclude<Layout, { format: "parquet" }>, options: SlicerOptions, isBegin: boolean) {
  if (layout.format === "lines") return createSlicer(options);
  return createRowSlicer({ ...options, delimiter: layout.delimiter.charCodeAt(0), hasHeader: isBegin });
}

async function* cutText(
  opened: OpenFile,
  offset: number,
  { encoding }: Exclude<Layout, { format: "parquet" }>,
  slicer: Slicer,
): AsyncGenerator<CutPage | { readonly failure: unknown }> {
  let bytes = 0;
  let failure: unknown = null;
  try {
    const { chunks, skipper } = await openText(opened, offset, encoding);
    for await (const chunk of chunks) {
      bytes = chunk.bytes;
      for (const part of chunk.parts) for (const page of slicer.push(skipper.rest(part))) yield { page, bytes };
    }
    skipper.finish();
  } catch (thrown) {
    failure = thrown;
  }
  for (const page of slicer.finish({ isWhole: failure === null })) yield { page, bytes };
  if (failure) yield { failure };
}
