/** zlib's streams, one write at a time: as async iterators they would drop, on an error, what they had already decompressed. */

import { createGunzip, createInflateRaw, createZstdDecompress, type Gunzip, type ZstdDecompress } from "node:zlib";
import type { Compression } from "./compression.ts";

export interface Inflated {
  readonly parts: readonly Uint8Array[];
  readonly failure: Error | null;
  readonly ended: boolean;
}

export interface Inflater {
  write(part: Uint8Array): Promise<Inflated>;
  end(): Promise<Inflated>;
  destroy(): void;
}

/** 3.5 times as fast as the default of 16 KB. */
const CHUNK_BYTES = 1024 * 1024;

const STREAMS = {
  gzip: () => createGunzip({ chunkSize: CHUNK_BYTES }),
  zstd: () => createZstdDecompress({ chunkSize: CHUNK_BYTES }),
  deflate: () => createInflateRaw({ chunkSize: CHUNK_BYTES }),
} as const satisfies Record<Compression, () => unknown>;

export function createInflater(compression: Compression): Inflater {
  let parts: Uint8Array[] = [];
  let failure: Error | null = null;
  let stream = open();

  function open(): Gunzip | ZstdDecompress {
    const opened: Gunzip | ZstdDecompress = STREAMS[compression]();
    opened.on("data", (part: Uint8Array) => parts.push(part));
    opened.on("error", (error) => {
      failure = error;
    });
    return opened;
  }
  const taken = (ended: boolean): Inflated => {
    const inflated = { parts, failure, ended };
    parts = [];
    return inflated;
  };
  const settled = (begin: (done: () => void) => void) =>
    new Promise<void>((resolve) => {
      stream.once("close", resolve);
      begin(() => {
        stream.off("close", resolve);
        resolve();
      });
    });
  return {
    async write(part) {
      for (let rest = part; rest.length > 0 && !failure; ) {
        const before = stream.bytesWritten;
        await settled((done) => stream.write(rest, () => done()));
        // Node 24.21 ends with a frame of zstd and lets go of those behind it; members of gzip it reads all.
        rest = compression === "zstd" ? rest.subarray(stream.bytesWritten - before) : NOTHING;
        if (rest.length > 0 && !failure) stream = open();
      }
      return taken(false);
    },
    async end() {
      if (!failure) await settled((done) => stream.once("end", done).end());
      return taken(true);
    },
    destroy: () => stream.destroy(),
  };
}

const NOTHING = new Uint8Array(0);
