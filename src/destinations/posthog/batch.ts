/** The bytes of a batch request, put together from stored bytes: nothing is parsed on the way out. */

import { promisify } from "node:util";
import { constants, gzip, zstdCompress } from "node:zlib";
import { createMemoryPool } from "../../core/memory-pool.ts";

/** The text of one event. */
export interface Piece {
  readonly body: Buffer;
  /** Goes out as it is; else the envelope's ending goes into it. */
  readonly isWhole?: boolean;
}

export interface Envelope {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
  readonly ending: Ending;
}

/** What goes into each event's `properties` before they close, with them and the event closed after it. */
export interface Ending {
  readonly first: Uint8Array;
  readonly afterComma: Uint8Array;
}

export type Compression = "gzip" | "zstd" | "none";

const COMMA = 0x2c;
const OPENING_BRACE = 0x7b;
const CLOSING = "}}".length;
const MOST_UNUSED = 8;

export function endingOf(text: string): Ending {
  return { first: Buffer.from(text), afterComma: Buffer.from(`,${text}`) };
}

/** Builds batches and packs them. */
export function createBatchPacker(): (
  envelope: Envelope,
  pieces: readonly Piece[],
  compression: Compression,
) => Promise<Buffer> {
  const pool = createMemoryPool(MOST_UNUSED);
  return async (envelope, pieces, compression) => {
    const memory = pool.take(batchBytes(envelope, pieces));
    try {
      return await compress(buildBatch(envelope, pieces, Buffer.from(memory)), compression);
    } finally {
      pool.give(memory);
    }
  };
}

/** At most how many bytes the batch takes. */
function batchBytes({ head, tail, ending }: Envelope, pieces: readonly Piece[]): number {
  let size = head.length + tail.length + pieces.length * (ending.afterComma.length + 1);
  for (const { body } of pieces) size += body.length;
  return size;
}

function buildBatch({ head, tail, ending }: Envelope, pieces: readonly Piece[], batch: Buffer): Buffer {
  batch.set(head);
  let end = head.length;
  for (const { body, isWhole } of pieces) {
    if (end > head.length) batch[end++] = COMMA;
    const open = isWhole ? body.length : body.length - CLOSING;
    body.copy(batch, end, 0, open);
    end += open;
    if (isWhole) continue;
    const added = body[open - 1] === OPENING_BRACE ? ending.first : ending.afterComma;
    batch.set(added, end);
    end += added.length;
  }
  batch.set(tail, end);
  return batch.subarray(0, end + tail.length);
}

const gzipAsync = promisify(gzip);
const zstdAsync = promisify(zstdCompress);

/** What comes out in one piece: each piece is a turn of the event loop, and a batch becomes a fifth of itself. */
const CHUNK_BYTES = 128 * 1024;

/** At level 1, off the main thread: gzip's level 6 costs twice the time for an eighth fewer bytes. */
async function compress(bytes: Uint8Array, compression: Compression): Promise<Buffer> {
  switch (compression) {
    case "gzip":
      return gzipAsync(bytes, { level: constants.Z_BEST_SPEED, chunkSize: CHUNK_BYTES });
    case "zstd":
      return zstdAsync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 }, chunkSize: CHUNK_BYTES });
    case "none":
      return Buffer.from(bytes);
  }
}
