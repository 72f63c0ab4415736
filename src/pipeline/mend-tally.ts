/** Counts the messages that were put right while they were made. */

import { MEND_REASONS, type MendCounts, type MendReason } from "../core/record.ts";
import type { Prepared } from "../core/source.ts";

export interface MendTally {
  /** `messages`: 1 unless told. */
  mend(reason: MendReason, messages?: number): void;
  /** What was mended since the last time or since `clear`; nothing in it when nothing was. */
  take(): Pick<Prepared, "mended">;
  clear(): void;
}

type OpenCounts = { -readonly [Reason in keyof MendCounts]: MendCounts[Reason] };

export function createMendTally(): MendTally {
  let counts: OpenCounts | null = null;
  return {
    mend(reason, messages = 1) {
      counts ??= {};
      counts[reason] = (counts[reason] ?? 0) + messages;
    },
    take() {
      const mended = counts;
      counts = null;
      return mended ? { mended } : {};
    },
    clear() {
      counts = null;
    },
  };
}

/** Of all together. */
export function joinMended(all: readonly Pick<Prepared, "mended">[]): Pick<Prepared, "mended"> {
  const tally = createMendTally();
  for (const { mended } of all) {
    if (mended) for (const [reason, messages] of countsIn(mended)) tally.mend(reason, messages);
  }
  return tally.take();
}

export function countsIn(mended: MendCounts): readonly (readonly [MendReason, number])[] {
  return MEND_REASONS.flatMap((reason) => {
    const messages = mended[reason];
    return messages === undefined ? [] : [[reason, messages] as const];
  });
}
