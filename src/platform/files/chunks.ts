/** The bytes of a file in chunks, decompressed, with flat memory. */

import { PrickleError } from "../../core/errors.ts";
import type { Compression } from "./compression.ts";
import { createInflater, type Inflated } from "./inflater.ts";
import { type OpenFile, readAt } from "./open-file.ts";

/** What one read of the file gave. */
export interface Chunk {
  /** Decompressed; valid until the next-but-one chunk is asked for. */
  readonly parts: readonly Uint8Array[];
  /** Bytes of the file read so far. */
  readonly bytes: number;
}

/** Of a plain file, in bytes. */
const PLAIN_READ = 256 * 1024;
/** Of a compressed file: small, since the most compressed input becomes a thousand times as much. */
const COMPRESSED_READ = 32 * 1024;

/** What is to be decompressed, part by part; an empty one at the end. */
export type Compressed = () => Promise<{ readonly part: Uint8Array; readonly bytes: number }>;

/** A plain file from byte `start` on. */
export async function* plainChunks(opened: OpenFile, start: number): AsyncGenerator<Chunk> {
  for (let at = start; ; ) {
    const part = await readAt(opened, at, PLAIN_READ);
    if (part.length === 0) return;
    at += part.length;
    yield { parts: [part], bytes: at };
  }
}

/** The bytes of a file, as they lie there. */
export function compressedFile(opened: OpenFile): Compressed {
  let bytes = 0;
  return async () => {
    const part = await readAt(opened, bytes, COMPRESSED_READ);
    bytes += part.length;
    return { part, bytes };
  };
}

/** What was decompressed once, to be decompressed again. */
export function compressedChunks(chunks: AsyncIterator<Chunk>): Compressed {
  let bytes = 0;
  let waiting: Uint8Array[] = [];
  return async () => {
    while (waiting.length === 0) {
      const { done, value } = await chunks.next();
      if (done) return { part: NOTHING, bytes };
      ({ bytes } = value);
      waiting = value.parts.flatMap(inPieces);
    }
    return { part: waiting.shift() ?? NOTHING, bytes };
  };
}

function inPieces(part: Uint8Array): Uint8Array[] {
  const count = Math.ceil(part.length / COMPRESSED_READ);
  return Array.from({ length: count }, (_, at) => part.subarray(at * COMPRESSED_READ, (at + 1) * COMPRESSED_READ));
}

/**
 * From the begin on, all its members. Decompresses in zlib's own threads, one chunk ahead of the reader.
 * @throws INPUT_INVALID when it is cut short, after everything before that was given; when it is damaged, after all but
 * what zlib had in hand: the last 32 KB read.
 */
export async function* inflatedChunks(path: string, compression: Compression, next: Compressed): AsyncGenerator<Chunk> {
  const inflater = createInflater(compression);
  // Read one step before it is decompressed, so that zlib can start without waiting for the event loop.
  let reading = expected(next());
  const inflateNext = async (): Promise<Inflated & Pick<Chunk, "bytes">> => {
    const { part, bytes } = await reading;
    if (part.length > 0) reading = expected(next());
    return { ...(await (part.length > 0 ? inflater.write(part) : inflater.end())), bytes };
  };
  let ahead = expected(inflateNext());
  try {
    for (let done = false; !done; ) {
      const { parts, bytes, failure, ended } = await ahead;
      done = ended;
      if (!done && !failure) ahead = expected(inflateNext());
      if (parts.length > 0) yield { parts, bytes };
      if (failure) throw damaged(path, compression, bytes, failure);
    }
  } finally {
    await Promise.allSettled([ahead, reading]);
    inflater.destroy();
  }
}

/** A promise that is awaited later: if it fails before, nobody is to be alarmed. */
function expected<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => undefined);
  return promise;
}

export function damaged(path: string, compression: string, bytes: number, cause: Error): PrickleError {
  const cut = cause.message.includes("unexpected end of file");
  return new PrickleError(
    "INPUT_INVALID",
    cut
      ? `${path}: the ${compression} data ends too early, at byte ${bytes}.`
      : `${path}: the ${compression} data is damaged near byte ${bytes} (${cause.message}).`,
    {
      hint: "Fetch the file again: what was read is kept, and reading goes on from the checkpoint.",
      cause,
    },
  );
}

const NOTHING = new Uint8Array(0);
