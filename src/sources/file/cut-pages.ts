/** Cuts a file into pages of whole lines, from a place on. */

import { type Chunk, gunzipChunks, isGzip, plainChunks } from "./chunks.ts";
import type { OpenFile } from "./open-file.ts";
import { createSkipper } from "./skip.ts";
import type { RawPage, Slicer } from "./slicer.ts";

/** A page, and how far the file had been read when it was cut. */
export interface CutPage {
  readonly page: RawPage;
  readonly bytes: number;
}

/** All whole lines after byte `offset` (of what is decompressed); then, if there is, what is wrong with the file. */
export async function* cutPages(
  opened: OpenFile,
  offset: number,
  slicer: Slicer,
): AsyncGenerator<CutPage | { readonly failure: unknown }> {
  let bytes = 0;
  let failure: unknown = null;
  try {
    const { chunks, skipper } = await openChunks(opened, offset);
    for await (const chunk of chunks) {
      bytes = chunk.bytes;
      for (const part of chunk.parts) for (const page of slicer.push(skipper.rest(part))) yield { page, bytes };
    }
    skipper.finish();
  } catch (thrown) {
    failure = thrown;
  }
  const last = slicer.finish({ isWhole: failure === null });
  if (last) yield { page: last, bytes };
  if (failure) yield { failure };
}

interface OpenChunks {
  readonly chunks: AsyncIterable<Chunk>;
  readonly skipper: ReturnType<typeof createSkipper>;
}

/** A plain file is entered at the last byte before the place; gzip has to be decompressed up to it. */
async function openChunks(opened: OpenFile, offset: number): Promise<OpenChunks> {
  const { path } = opened;
  if (await isGzip(opened)) return { chunks: gunzipChunks(opened), skipper: createSkipper(offset, path) };
  const start = Math.max(0, offset - 1);
  return { chunks: plainChunks(opened, start), skipper: createSkipper(offset - start, path) };
}
