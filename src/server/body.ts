/** Reads a request's body as the bytes that were sent: bounded on the wire, unpacked and in all. */

import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip, gunzipSync } from "node:zlib";
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
}

/** What is too large is still taken in, up to this, and thrown away: so that its sender reads our answer. */
const MOST_DISCARDED_BYTES = 64 * 1024 * 1024;
/** Up to here unpacking costs less than handing it to another thread. */
const UNPACK_AT_ONCE_BYTES = 32 * 1024;
const GZIP_MAGIC = [0x1f, 0x8b] as const;

const gunzipElsewhere = promisify(gunzip);

/** `maxInFlightBytes`: of all bodies being read at a time. */
export function createBodyReader(maxInFlightBytes: number): BodyReader {
  let inFlightBytes = 0;

  async function readWire(request: IncomingMessage, maxWireBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let kept = 0;
    let refusal: PrickleError | null = null;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (!refusal && bytes > maxWireBytes) refusal = tooLarge(maxWireBytes);
        if (!refusal && inFlightBytes + chunk.length > maxInFlightBytes) refusal = overloaded();
        if (refusal) {
          chunks.length = 0;
          if (bytes > MOST_DISCARDED_BYTES) break;
          continue;
        }
        chunks.push(chunk);
        kept += chunk.length;
        inFlightBytes += chunk.length;
      }
    } catch (cause) {
      throw new PrickleError("INPUT_INVALID", "The request ended before its body did.", { cause });
    } finally {
      inFlightBytes -= kept;
    }
    if (refusal) throw refusal;
    return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
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
  };
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === GZIP_MAGIC[0] && bytes[1] === GZIP_MAGIC[1];
}

/** @throws INPUT_INVALID when it is not gzip, INPUT_TOO_LARGE when it unpacks to more than `maxBytes`. */
export async function unpack(packed: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    const options = { maxOutputLength: maxBytes };
    return packed.length <= UNPACK_AT_ONCE_BYTES ? gunzipSync(packed, options) : await gunzipElsewhere(packed, options);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(maxBytes);
    throw new PrickleError("INPUT_INVALID", "The body is not gzip, or damaged.", { cause });
  }
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
