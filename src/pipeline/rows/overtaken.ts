/** Rows of a page that may be behind what is known of them: they are not to undo it. */

import type { Row, RowPage } from "../../core/row-source.ts";
import type { KnownRow } from "../../core/rows.ts";
import { type Comparison, digestOf } from "./compare-rows.ts";

type Known = ReadonlyMap<string, KnownRow>;

/**
 * Ids of rows that say something else than what was told of them a short while before they were read, or in the same run,
 * and not by a later modification: nobody can tell which of the two is newer.
 */
export function overtakenIds(
  { rows, readAt, behindMs = 0 }: Pick<RowPage, "rows" | "readAt" | "behindMs">,
  known: Known,
  comparison: Pick<Comparison, "digest" | "startedAt">,
): readonly string[] {
  if (behindMs === 0) return [];
  const mayBeNewer = ({ toldAt, seenAt }: KnownRow) => toldAt > readAt - behindMs || seenAt >= comparison.startedAt;
  return rows.flatMap((row) => {
    const before = known.get(row.id);
    if (!before || !mayBeNewer(before) || isLater(row, before)) return [];
    const isSame = before.state === "live" && before.digest === digestOf(row.payload, comparison.digest);
    return isSame ? [] : [row.id];
  });
}

/** One that was removed may have been modified before that, and be listed still. */
function isLater({ updatedAt }: Row, { toldAt, state }: KnownRow): boolean {
  return state === "live" && updatedAt !== null && updatedAt > toldAt;
}
