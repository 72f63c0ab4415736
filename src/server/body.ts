/** Reads a request's body as the bytes that were sent: bounded on the wire, unpacked and in all. */

import type { IncomingMessage } from "node:http";
import { createGunzip, gunzipSync } from "node:zlib";
import { PrickleError } from "../core/errors.ts";

export interface BodyLimits {
  /** As it comes over the wire. */
  readonly maxWireBytes: number;
  /** Unpacked. */
  readonly maxBytes: number;
}

export interface BodyReader {
  /** @throws INPUT_INVALID, INPUT_TOO_LARGE, OVERLOADED */
  read(request: IncomingMessage, limits: BodyLimits): Promise<Buffer>;
  /** @throws INPUT_INVALID when it is not gzip, INPUT_TOO_LARGE when it unpacks to more than `maxBytes`, OVERLOADED */
  unpack(packed: Buffer, maxBytes: number): Promise<Buffer>;
}

/** What is too large is still taken in, up to this, and thrown away: so that its sender reads our answer. */
const MOST_DISCARDED_BYTES = 64 * 1024 * 1024;
/** Up to here unpacking costs less than handing it to another thread. */
const UNPACK_AT_ONCE_BYTES = 32 * 1024;
const UNPACK_CHUNK_BYTES = 64 * 1024;
const GZIP_MAGIC = [0x1f, 0x8b] as const;

/** `maxInFlightBytes`: of all bodies being read and unpacked at a time. */
export function createBodyReader(maxInFlightBytes: number): BodyReader {
  const openShare = createBudget(maxInFlightBytes);

  /** By events: an async iterator costs a single call a tenth of its time. */
  function readWire(request: IncomingMessage, maxWireBytes: number): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const chunks: Buffer[] = [];
    const share = openShare();
    let bytes = 0;
    let refusal: PrickleError | null = null;
    const refuse = (error: PrickleError) => {
      refusal = error;
      chunks.length = 0;
      share.giveBack();
    };
    const settle = (cutShort: PrickleError | null) => {
      request.off("data", take).off("end", end).off("error", breakOff).off("close", breakOff);
      share.giveBack();
      const failure = refusal ?? cutShort;
      if (failure) reject(failure);
      else resolve(joined(chunks));
    };
    function take(chunk: Buffer): void {
      bytes += chunk.length;
      if (refusal) {
        if (bytes > MOST_DISCARDED_BYTES) {
          settle(null);
          request.destroy();
        }
      } else if (bytes > maxWireBytes) refuse(tooLarge(maxWireBytes));
      else if (share.take(chunk.length)) chunks.push(chunk);
      else refuse(overloaded());
    }
    const end = () => settle(null);
    const breakOff = () => settle(new PrickleError("INPUT_INVALID", "The request ended before its body did."));
    if (request.destroyed) breakOff();
    else request.on("data", take).on("end", end).on("error", breakOff).on("close", breakOff);
    return promise;
  }

  async function unpack(packed: Buffer, maxBytes: number): Promise<Buffer> {
    const share = openShare();
    try {
      return packed.length <= UNPACK_AT_ONCE_BYTES
        ? gunzipSync(packed, { maxOutputLength: maxBytes })
        : await unpackInto(share, packed, maxBytes);
    } catch (cause) {
      if (cause instanceof PrickleError) throw cause;
      if (cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(maxBytes);
      throw new PrickleError("INPUT_INVALID", "The body is not gzip, or damaged.", { cause });
    } finally {
      share.giveBack();
    }
  }

  return {
    async read(request, { maxWireBytes, maxBytes }) {
      const encoding = request.headers["content-encoding"]?.trim().toLowerCase() ?? "";
      const wire = await readWire(request, maxWireBytes);
      if (encoding === "" || encoding === "identity") return wire;
      if (encoding === "gzip" || encoding === "x-gzip") return unpack(wire, maxBytes);
      throw new PrickleError(
        "INPUT_INVALID",
        `Content-Encoding is ${JSON.stringify(encoding)}; gzip or none is allowed.`,
      );
    },
    unpack,
  };
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === GZIP_MAGIC[0] && bytes[1] === GZIP_MAGIC[1];
}

interface Share {
  /** False, taking nothing, when there is not that much left. */
  take(bytes: number): boolean;
  giveBack(): void;
}

function createBudget(maxBytes: number): () => Share {
  let taken = 0;
  return () => {
    let own = 0;
    return {
      take(bytes) {
        if (taken + bytes > maxBytes) return false;
        taken += bytes;
        own += bytes;
        return true;
      },
      giveBack() {
        taken -= own;
        own = 0;
      },
    };
  };
}

/** In other threads, and no further than there is room: a small body can unpack to a thousand times its size. */
async function unpackInto(share: Share, packed: Buffer, maxBytes: number): Promise<Buffer> {
  const gunzip = createGunzip({ chunkSize: UNPACK_CHUNK_BYTES });
  gunzip.end(packed);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of gunzip as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    if (!share.take(chunk.length)) throw overloaded();
    chunks.push(chunk);
  }
  return joined(chunks);
}

function joined(chunks: readonly Buffer[]): Buffer {
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): PrickleError {
  return new PrickleError("INPUT_TOO_LARGE", `The body has more than ${maxBytes} bytes, the most this door takes.`, {
    hint: "Send smaller batches.",
  });
}

function overloaded(): PrickleError {
  return new PrickleError("OVERLOADED", "Too much is being taken in at this moment.", {
    hint: "Come again; nothing was stored.",
    retryAfterMs: 1_000,
  });
}
