/** What was asked for last, in memory, in two generations: when the younger is full it becomes the older, and the older is let go. */

export interface Cache<Value> {
  /** Undefined: not here. */
  get(key: string): Value | undefined;
  set(key: string, value: Value, weight?: number): void;
  delete(key: string): void;
  clear(): void;
}

interface Entry<Value> {
  readonly value: Value;
  readonly weight: number;
}

/** `budget`: the sum of the weights it may hold, 1 each by default. To order all entries by use would cost more than it saves. */
export function createCache<Value>(budget: number): Cache<Value> {
  let young = new Map<string, Entry<Value>>();
  let old = new Map<string, Entry<Value>>();
  let held = 0;

  function put(key: string, entry: Entry<Value>): void {
    young.set(key, entry);
    held += entry.weight;
    if (held <= budget / 2) return;
    old = young;
    young = new Map();
    held = 0;
  }

  return {
    get(key) {
      const recent = young.get(key);
      if (recent) return recent.value;
      const entry = old.get(key);
      if (entry) put(key, entry);
      return entry?.value;
    },
    set: (key, value, weight = 1) => put(key, { value, weight }),
    delete(key) {
      young.delete(key);
      old.delete(key);
    },
    clear() {
      young = new Map();
      old = new Map();
      held = 0;
    },
  };
}
