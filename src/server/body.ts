/** Reads a request's body as the bytes that were sent: bounded on the wire, unpacked and in all. */

import type { IncomingMessage } from "node:http";
import { PrickleError } from "../core/errors.ts";
import { type Encoding, encodingNamed, overloaded, tooLarge, unpackBody } from "./unpack.ts";

export interface BodyLimits {
  /** As it comes over the wire. */
  readonly maxWireBytes: number;
  /** Unpacked. */
  readonly maxBytes: number;
}

export interface BodyReader {
  /** @throws INPUT_INVALID, INPUT_TOO_LARGE, OVERLOADED */
  read(request: IncomingMessage, limits: BodyLimits): Promise<Buffer>;
  /** @throws INPUT_INVALID when it is not of this encoding, INPUT_TOO_LARGE when it unpacks to more than `maxBytes`, OVERLOADED */
  unpack(packed: Buffer, encoding: Encoding, maxBytes: number): Promise<Buffer>;
}

/** What is too large is still taken in, up to this, and thrown away: so that its sender reads our answer. */
const MOST_DISCARDED_BYTES = 64 * 1024 * 1024;

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

  async function unpack(packed: Buffer, encoding: Encoding, maxBytes: number): Promise<Buffer> {
    const share = openShare();
    try {
      return await unpackBody(packed, encoding, { maxBytes, take: share.take });
    } finally {
      share.giveBack();
    }
  }

  return {
    async read(request, { maxWireBytes, maxBytes }) {
      const name = request.headers["content-encoding"]?.trim().toLowerCase() ?? "";
      const wire = await readWire(request, maxWireBytes);
      if (name === "" || name === "identity") return wire;
      const encoding = encodingNamed(name);
      if (encoding) return wire.length === 0 ? wire : unpack(wire, encoding, maxBytes);
      throw new PrickleError(
        "INPUT_INVALID",
        `Content-Encoding is ${JSON.stringify(name)}; gzip, deflate, br, zstd or none is allowed.`,
      );
    },
    unpack,
  };
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

function joined(chunks: readonly Buffer[]): Buffer {
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}
