/** What a file has in it: its bytes decompressed, however often it was compressed. */

import { crc32 } from "node:zlib";
import { PrickleError } from "../../core/errors.ts";
import { type Chunk, compressedChunks, compressedFile, damaged, inflatedChunks, plainChunks } from "./chunks.ts";
import { sniffCompression } from "./compression.ts";
import { type OpenFile, readAt } from "./open-file.ts";

const MAGIC_BYTES = 4;
/** A file compressed more often than this is nobody's. */
const MOST_LAYERS = 3;

/** All of it, decompressed. @throws INPUT_INVALID */
export async function* unpacked(opened: OpenFile): AsyncGenerator<Chunk> {
  const { path, entry } = opened;
  let chunks = entry ? checked(opened, stored(opened)) : plainChunks(opened, 0);
  let compression = await sniffFile(opened);
  for (let layer = 0; ; layer++) {
    if (entry?.isDeflated || layer > 0) {
      const peeked = await peek(chunks);
      chunks = peeked.chunks;
      compression = sniffCompression(peeked.head);
    }
    if (compression === null || compression === "zip" || layer >= MOST_LAYERS) break;
    const isFile = layer === 0 && !entry;
    chunks = inflatedChunks(path, compression, isFile ? compressedFile(opened) : compressedChunks(chunks));
  }
  if (compression !== null) throw nested(path, compression);
  yield* chunks;
}

/** Of its first bytes. */
export async function sniffFile(opened: OpenFile) {
  return sniffCompression(await readAt(opened, 0, MAGIC_BYTES));
}

function stored(opened: OpenFile): AsyncGenerator<Chunk> {
  if (!opened.entry?.isDeflated) return plainChunks(opened, 0);
  return inflatedChunks(opened.path, "deflate", compressedFile(opened));
}

/** Entries of a zip file have no checksum of their own that zlib would look at. */
async function* checked(opened: OpenFile, chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
  let sum = 0;
  let read = 0;
  for await (const chunk of chunks) {
    for (const part of chunk.parts) sum = crc32(part, sum);
    read = chunk.bytes;
    yield chunk;
  }
  if (sum !== opened.entry?.crc32) throw damaged(opened.path, "zip", read, new Error("its checksum is another"));
}

/** The first bytes, and all chunks. */
async function peek(chunks: AsyncGenerator<Chunk>) {
  const first = await chunks.next();
  async function* all(): AsyncGenerator<Chunk> {
    if (!first.done) yield first.value;
    yield* chunks;
  }
  const head = first.done ? [] : first.value.parts;
  return { head: Buffer.concat(head).subarray(0, MAGIC_BYTES), chunks: all() };
}

function nested(path: string, found: string): PrickleError {
  return new PrickleError("INPUT_INVALID", `${path}: a ${found} file lies in a compressed one.`, {
    hint: "Unpack the outer one first.",
  });
}
