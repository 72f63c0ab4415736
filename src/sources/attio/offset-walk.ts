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

export interface Listed<Row> {
  readonly rows: readonly Row[];
  readonly readAt: number;
}

export interface OffsetPage<Row> extends Listed<Row> {
  readonly after: OffsetPosition;
}

const MOST_OVERLAP = 10;

/** `list`: the rows at an offset, in a lasting order. */
export function offsetPages<Row extends { readonly id: string }>(
  list: (offset: number) => Promise<Listed<Row>>,
  { from, rowsAtOnce, signal }: { from: OffsetPosition; rowsAtOnce: number; signal: AbortSignal },
): AsyncGenerator<OffsetPage<Row>> {
  const overlap = Math.min(MOST_OVERLAP, Math.floor(rowsAtOnce / 2));

  async function ask({ offset, tail }: OffsetPosition): Promise<Step<OffsetPosition, OffsetPage<Row>>> {
    const { rows, readAt } = await list(offset);
    const ids = rows.map(({ id }) => id);
    const fresh = rows.filter(({ id }) => !tail.includes(id));
    const isJoined = offset === 0 || fresh.length < rows.length;
    if (!isJoined) {
      const back = { offset: Math.max(0, offset - (rowsAtOnce - overlap)), tail };
      return { page: { rows, readAt, after: back }, next: back };
    }
    const reached = { offset: offset + Math.max(0, ids.length - overlap), tail: ids.slice(-overlap) };
    const isOver = fresh.length === 0 || ids.at(-1) === tail.at(-1);
    const page = fresh.length === 0 ? null : { rows: fresh, readAt, after: reached };
    return { page, next: isOver ? null : reached };
  }

  return walkPages(from, ask, signal);
}
