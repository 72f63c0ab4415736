/**
 * Memory that is used again. New memory for each large buffer costs little by itself, but each brings the next garbage
 * collection nearer, and that looks at everything else.
 */

export interface MemoryPool {
  /** At least `bytes`, with whatever was in it before. */
  take(bytes: number): ArrayBuffer;
  /** Nobody looks at it any more. */
  give(memory: ArrayBuffer): void;
}

/** Sizes are rounded up to this, so that what comes back fits more often. */
const STEP_BYTES = 64 * 1024;

/** Keeps at most `most` that nobody uses: the largest, but none of more than `mostBytes`. */
export function createMemoryPool(most: number, mostBytes = Number.POSITIVE_INFINITY): MemoryPool {
  const unused: ArrayBuffer[] = [];
  return {
    take(bytes) {
      const fitting = unused.findIndex(({ byteLength }) => byteLength >= bytes);
      const [memory] = fitting < 0 ? [] : unused.splice(fitting, 1);
      return memory ?? new ArrayBuffer(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES);
    },
    give(memory) {
      if (memory.byteLength === 0 || memory.byteLength > mostBytes) return;
      unused.push(memory);
      unused.sort((one, other) => one.byteLength - other.byteLength);
      if (unused.length > most) unused.shift();
    },
  };
}
