/** What was read last, in memory: as much of it as `budget` allows. */

export interface Cache<Value> {
  /** Undefined: not here. */
  get(key: string): Value | undefined;
  set(key: string, value: Value, weight?: number): void;
  delete(key: string): void;
  clear(): void;
}

/** `budget`: the sum of the weights it may hold; 1 each by default. The one not asked for longest goes first. */
export function createCache<Value>(budget: number): Cache<Value> {
  const entries = new Map<string, { readonly value: Value; readonly weight: number }>();
  let held = 0;
  const remove = (key: string) => {
    held -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, weight = 1) {
      remove(key);
      entries.set(key, { value, weight });
      held += weight;
      for (const oldest of entries.keys()) {
        if (held <= budget || oldest === key) break;
        remove(oldest);
      }
    },
    delete: remove,
    clear() {
      entries.clear();
      held = 0;
    },
  };
}
