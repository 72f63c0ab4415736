/**
 * Pages by offset over rows that come and go. Each page begins with rows of the one before: if none of those is in it,
 * rows before it were removed and some may have slipped through, so it goes back until one is.
 */

import * as z from "zod";
import { type Step, walkPages } from "../../core/page-walk.ts";

export const offsetPosition = z.strictObject({
  offset: z.int().min(0),
  /** Ids of the last rows read, in order; one of them must be in the page at `offset`. */
  tail: z.array(z.string()),
});
export type OffsetPosition = z.output<typeof offsetPosition>;

export interface OffsetPage<Found> {
  readonly found: Found;
  readonly after: OffsetPosition;
}

/** `list`: the rows at an offset, in a lasting order, with their ids. */
export function offsetPages<Found>(
  list: (offset: number) => Promise<{ readonly found: Found; readonly ids: readonly string[] }>,
  { from, rowsAtOnce, signal }: { from: OffsetPosition; rowsAtOnce: number; signal: AbortSignal },
): AsyncGenerator<OffsetPage<Found>> {
  const overlap = Math.min(MOST_OVERLAP, Math.floor(rowsAtOnce / 2));

  async function ask(position: OffsetPosition): Promise<Step<OffsetPosition, OffsetPage<Found>>> {
    const { offset, tail } = position;
    const { found, ids } = await list(offset);
    const isJoined = offset === 0 || ids.some((id) => tail.includes(id));
    if (!isJoined) {
      const back = { offset: Math.max(0, offset - (rowsAtOnce - overlap)), tail };
      return { page: { found, after: back }, next: back };
    }
    const last = ids.at(-1);
    if (last === undefined) return { page: null, next: null };
    const reached = { offset: Math.max(offset, offset + ids.length - overlap), tail: ids.slice(-overlap) };
    const isOver = last === tail.at(-1);
    return { page: { found, after: reached }, next: isOver ? null : reached };
  }

  return walkPages(from, ask, signal);
}

const MOST_OVERLAP = 10;
