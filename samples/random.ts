/** Seeded chance: the same numbers on every machine. Integers only, so that no libm can differ. */

import { hash } from "node:crypto";

export interface Chance {
  /** A whole number from 0 to `below` − 1. */
  below(below: number): number;
  /** True `percent` times in a hundred. */
  percent(percent: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
}

/** The numbers of one `topic` do not depend on how many were drawn for another. */
export function createChance(seed: string, topic: string): Chance {
  let state = Number.parseInt(hash("sha1", `${seed}\0${topic}`, "hex").slice(0, 8), 16);
  // Mulberry32.
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit: number) => next() % limit;
  return {
    below,
    percent: (percent) => below(100) < percent,
    pick(items) {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError("Nothing to pick from.");
      return item;
    },
  };
}
