/** Sums that only grow, written down with the transaction they belong to. */

import type { DatabaseSync } from "node:sqlite";

export interface Counters {
  add(name: string, amount: number): void;
  get(name: string): number;
  /** Those whose name begins with `prefix`, by the rest of their name. */
  withPrefix(prefix: string): Readonly<Record<string, number>>;
  /** Writes down what was added since the last time. */
  flush(): void;
  /** Reads everything anew: to be called after a rollback. */
  load(): void;
}

export function createCounters(database: DatabaseSync): Counters {
  const select = database.prepare("SELECT name, value FROM counters");
  const upsert = database.prepare(
    "INSERT INTO counters (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
  );
  const values = new Map<string, number>();
  const changed = new Set<string>();
  const load = () => {
    values.clear();
    changed.clear();
    for (const { name, value } of select.all()) values.set(String(name), Number(value));
  };
  load();
  return {
    load,
    add(name, amount) {
      if (amount === 0) return;
      values.set(name, (values.get(name) ?? 0) + amount);
      changed.add(name);
    },
    get: (name) => values.get(name) ?? 0,
    withPrefix: (prefix) =>
      Object.fromEntries(
        [...values]
          .filter(([name]) => name.startsWith(prefix))
          .map(([name, value]) => [name.slice(prefix.length), value]),
      ),
    flush() {
      for (const name of changed) upsert.run(name, values.get(name) ?? 0);
      changed.clear();
    },
  };
}
