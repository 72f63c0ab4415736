/** Content encodings undone: small bodies at once, others in other threads and no further than there is room. */

import type { Transform } from "node:stream";
import {
  brotliDecompressSync,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from "node:zlib";
import { PrickleError } from "../core/errors.ts";

export type Encoding = "gzip" | "deflate" | "br" | "zstd";

export interface UnpackLimits {
  /** Unpacked. */
  readonly maxBytes: number;
  /** False: so many more bytes there is no room for. */
  readonly take: (bytes: number) => boolean;
}

/** Up to here unpacking costs less than handing it to another thread. */
const AT_ONCE_BYTES = 32 * 1024;
const CHUNK_BYTES = 64 * 1024;
const GZIP_MAGIC = [0x1f, 0x8b] as const;
/** Of deflate with zlib's header, as HTTP has it; some senders leave it out. */
const ZLIB_FIRST_BYTE = 0x78;
/** 8 MiB, the most that HTTP allows a sender (RFC 9659): the frame says how much memory it takes. */
const ZSTD = { params: { [constants.ZSTD_d_windowLogMax]: 23 } };

const BY_NAME: ReadonlyMap<string, Encoding> = new Map([
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
  ["br", "br"],
  ["zstd", "zstd"],
]);

/** Of a Content-Encoding header, in lower case; null: it is none of them. */
export function encodingNamed(name: string): Encoding | null {
  return BY_NAME.get(name) ?? null;
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === GZIP_MAGIC[0] && bytes[1] === GZIP_MAGIC[1];
}

/**
 * @throws INPUT_INVALID when it is not of this encoding or ends too early, INPUT_TOO_LARGE when it unpacks to more than
 * `maxBytes`, OVERLOADED when there is no room.
 */
export async function unpackBody(packed: Buffer, encoding: Encoding, limits: UnpackLimits): Promise<Buffer> {
  try {
    return packed.length <= AT_ONCE_BYTES
      ? unpackAtOnce(packed, encoding, limits.maxBytes)
      : await unpackByChunks(packed, encoding, limits);
  } catch (cause) {
    if (cause instanceof PrickleError) throw cause;
    if (cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE") {
      throw tooLarge(limits.maxBytes);
    }
    throw new PrickleError("INPUT_INVALID", `The body is not ${encoding}, or damaged.`, { cause });
  }
}

function unpackAtOnce(packed: Buffer, encoding: Encoding, maxOutputLength: number): Buffer {
  switch (encoding) {
    case "gzip":
      return gunzipSync(packed, { maxOutputLength });
    case "deflate":
      return (hasZlibHeader(packed) ? inflateSync : inflateRawSync)(packed, { maxOutputLength });
    case "br":
      return brotliDecompressSync(packed, { maxOutputLength });
    case "zstd":
      return zstdDecompressSync(packed, { ...ZSTD, maxOutputLength });
  }
}

/** A small body can unpack to a thousand times its size. */
async function unpackByChunks(packed: Buffer, encoding: Encoding, { maxBytes, take }: UnpackLimits): Promise<Buffer> {
  const unpacker = unpackerFor(packed, encoding);
  unpacker.end(packed);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of unpacker as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    if (!take(chunk.length)) throw overloaded();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function unpackerFor(packed: Buffer, encoding: Encoding): Transform {
  const chunkSize = CHUNK_BYTES;
  switch (encoding) {
    case "gzip":
      return createGunzip({ chunkSize });
    case "deflate":
      return (hasZlibHeader(packed) ? createInflate : createInflateRaw)({ chunkSize });
    case "br":
      return createBrotliDecompress({ chunkSize });
    case "zstd":
      return createZstdDecompress({ ...ZSTD, chunkSize });
  }
}

function hasZlibHeader(packed: Buffer): boolean {
  return packed[0] === ZLIB_FIRST_BYTE;
}

export function tooLarge(maxBytes: number): PrickleError {
  return new PrickleError("INPUT_TOO_LARGE", `The body has more than ${maxBytes} bytes, the most this door takes.`, {
    hint: "Send smaller batches.",
  });
}

export function overloaded(): PrickleError {
  return new PrickleError("OVERLOADED", "Too much is being taken in at this moment.", {
    hint: "Come again; nothing was stored.",
    retryAfterMs: 1_000,
  });
}
