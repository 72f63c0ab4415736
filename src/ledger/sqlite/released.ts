/** Which stretches of the log are gone because nobody needed them any more: whatever else is missing is damage. */

import type { DatabaseSync } from "node:sqlite";

/** From `from` on, up to but without `to`: places in the log. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export interface Released {
  has(stretch: Stretch): boolean;
  /** Written down, but not flushed: to be on disk before the stretches are gone. */
  add(stretches: readonly Stretch[]): void;
}

const NAME = "log_released";

/** `lastStart`: where the last segment begins. Where nothing was written down before, what is missing up to there is taken for released. */
export function createReleased(database: DatabaseSync, lastStart: number): Released {
  const put = database.prepare(
    "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
  );
  const known = database.prepare("SELECT value FROM meta WHERE name = ?").get(NAME)?.value;
  let released: readonly Stretch[] = typeof known === "string" ? JSON.parse(known) : [];

  function add(stretches: readonly Stretch[]): void {
    const merged = merge([...released, ...stretches]);
    put.run(NAME, JSON.stringify(merged));
    released = merged;
  }

  if (typeof known !== "string") add([{ from: 0, to: lastStart }]);
  return {
    has: ({ from, to }) => released.some((one) => one.from <= from && one.to >= to),
    add,
  };
}

/** In order, those that touch made one. */
function merge(stretches: readonly Stretch[]): readonly Stretch[] {
  const merged: Stretch[] = [];
  for (const { from, to } of stretches.toSorted((one, other) => one.from - other.from)) {
    const last = merged.at(-1);
    if (from === to) continue;
    if (last && last.to >= from) merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    else merged.push({ from, to });
  }
  return merged;
}
