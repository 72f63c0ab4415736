/** Values that are not of their property's type, counted by property, with the first of each. */

import type { WireProperty } from "./wire.ts";

export interface RefusedValues {
  add(refused: {
    readonly property: Pick<WireProperty, "name" | "type">;
    readonly text: string;
    /** Where to look at it. */
    readonly place: string;
  }): void;
  /** One sentence for each property since the last time. */
  take(): readonly string[];
}

const MOST_QUOTED = 40;

export function createRefusedValues(): RefusedValues {
  const byName = new Map<string, { readonly first: string; count: number }>();
  return {
    add({ property: { name, type }, text, place }) {
      const found = byName.get(name);
      if (found) found.count += 1;
      else
        byName.set(name, { first: `${JSON.stringify(text.slice(0, MOST_QUOTED))} is no ${type}: ${place}`, count: 1 });
    },
    take() {
      const told = [...byName].map(([name, { first, count }]) => `${name}: ${sentence(first, count)}`);
      byName.clear();
      return told;
    },
  };
}

function sentence(first: string, count: number): string {
  return count === 1 ? `${first}. It stays text.` : `${first}. ${count} values like it stay text.`;
}
