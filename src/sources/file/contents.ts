/** A text file or an entry of a zip file from some place on, as UTF-8. */

import { type Chunk, plainChunks } from "../../platform/files/chunks.ts";
import type { OpenFile } from "../../platform/files/open-file.ts";
import { sniffFile, unpacked } from "../../platform/files/unpacked.ts";
import { createSkipper, type Skipper } from "./skip.ts";
import { asUtf8, type Encoding } from "./text-encoding.ts";

export interface Contents {
  readonly chunks: AsyncIterable<Chunk>;
  /** For each part in turn: what of it lies after the place. */
  readonly skipper: Skipper;
}

/** A text after byte `offset` of what is in the file. A plain one is entered there; what is compressed or recoded has to be read up to it. */
export async function openText(opened: OpenFile, offset: number, encoding: Encoding = "utf-8"): Promise<Contents> {
  const isPlain = !opened.entry && (await sniffFile(opened)) === null;
  if (isPlain && encoding === "utf-8") {
    const start = Math.max(0, offset - 1);
    return { chunks: plainChunks(opened, start), skipper: createSkipper(offset - start, opened.path) };
  }
  const chunks = unpacked(opened);
  const skipper = createSkipper(offset, opened.path);
  return { chunks: encoding === "utf-8" ? chunks : asUtf8(chunks, encoding), skipper };
}
