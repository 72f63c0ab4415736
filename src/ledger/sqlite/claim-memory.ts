/** Memory of claims: runs are read from the log to where they cross threads, and what comes back is used again. */

import { createMemoryPool } from "../../core/memory-pool.ts";
import type { Room } from "./outbox.ts";

export interface ClaimMemory {
  /** For a run, behind what is kept. */
  readonly room: Room;
  /** Keeps the first `bytes` of the room that was given last. */
  keep(bytes: number): void;
  /** Keeps nothing. */
  clear(): void;
  /** Gives what is kept, with its memory. */
  handOver(): Uint8Array<ArrayBuffer>;
  /** Memory that came back. */
  reuse(memory: ArrayBuffer): void;
}

const MOST_UNUSED = 8;

export function createClaimMemory(): ClaimMemory {
  const pool = createMemoryPool(MOST_UNUSED);
  let memory = new ArrayBuffer(0);
  let length = 0;
  /** The next claim is likely to be as large. */
  let lastLength = 0;

  function grow(bytes: number): void {
    const grown = pool.take(Math.max(bytes, 2 * length, lastLength));
    new Uint8Array(grown).set(new Uint8Array(memory, 0, length));
    pool.give(memory);
    memory = grown;
  }

  return {
    room(bytes) {
      if (length + bytes > memory.byteLength) grow(length + bytes);
      return Buffer.from(memory, length, bytes);
    },
    keep(bytes) {
      length += bytes;
    },
    clear() {
      length = 0;
    },
    handOver() {
      const kept = new Uint8Array(memory, 0, length);
      lastLength = length;
      memory = new ArrayBuffer(0);
      length = 0;
      return kept;
    },
    reuse: pool.give,
  };
}
