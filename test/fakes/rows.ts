/** A source that holds rows, in memory, on a clock of its own: it can be edited while it is read, and told to fail. */

import type { JsonObject } from "../../src/core/json.ts";
import type { Fate, Removal, Row, RowSource } from "../../src/core/row-source.ts";

export interface FakeRows extends RowSource {
  /** Its clock, ms UTC. */
  now: number;
  /** Adds or edits; `isSilent`: the time of modification stays. */
  put(id: string, payload: JsonObject, options?: { readonly isSilent?: boolean }): void;
  archive(id: string): void;
  restore(id: string): void;
  merge(id: string, into: string): void;
  /** As if it had never been. */
  erase(id: string): void;
  readonly live: ReadonlyMap<string, JsonObject>;
  /** Called before each page is given; what it throws, the page throws. */
  onPage: () => void;
  /** Of the next `begin`. */
  warnings: readonly string[];
}

interface Stored {
  readonly row: Row;
  removal: Removal | null;
}

const PAGE_ROWS = 3;

export function createFakeRows({ knowsChanges = true }: { readonly knowsChanges?: boolean } = {}): FakeRows {
  const stored = new Map<string, Stored>();
  let requests = 0;

  const listed = () => [...stored.values()].filter(({ removal }) => removal === null).map(({ row }) => row);
  const ordered = (rows: readonly Row[]) => rows.toSorted((one, other) => (one.id < other.id ? -1 : 1));

  /** By id, from after `after` on: what is edited behind it is missed, as it is with the real ones. */
  async function* paged(select: () => readonly Row[], after: string | null, signal: AbortSignal) {
    for (let last = after; !signal.aborted; ) {
      requests += 1;
      fake.onPage();
      const rest = ordered(select()).filter(({ id }) => last === null || id > last);
      const rows = rest.slice(0, PAGE_ROWS);
      last = rows.at(-1)?.id ?? last;
      if (rows.length === 0) return;
      yield { rows, after: last ?? "", readAt: fake.now, expected: rest.length };
    }
  }

  const fake: FakeRows = {
    now: Date.UTC(2026, 0, 1),
    traits: { lagMs: 60_000, overlapMs: 600_000, settledMs: 3_600_000, fatesAtOnce: 2 },
    warnings: [],
    onPage: () => undefined,
    async begin() {
      requests += 1;
      fake.onPage();
      return { at: fake.now, warnings: fake.warnings };
    },
    all: (after, signal) => paged(listed, after, signal),
    changed: knowsChanges
      ? ({ from, to }, after, signal) =>
          paged(() => listed().filter(({ updatedAt }) => isWithin(updatedAt, from, to)), after, signal)
      : null,
    removed: async function* (since, after, signal) {
      if (after !== null || signal.aborted) return;
      fake.onPage();
      const removals = [...stored.values()].flatMap(({ removal }) =>
        removal?.state === "archived" && (since === null || (removal.at ?? 0) >= since) ? [removal] : [],
      );
      yield { removals, after: "end", readAt: fake.now };
    },
    async fates(ids) {
      requests += 1;
      fake.onPage();
      return ids.flatMap((id): readonly Fate[] => {
        const one = stored.get(id);
        if (!one) return [];
        return [one.removal ?? { id, state: "live", row: one.row, readAt: fake.now }];
      });
    },
    requests: () => requests,
    close: async () => undefined,
    put(id, payload, { isSilent = false } = {}) {
      const before = stored.get(id);
      const updatedAt = isSilent && before ? before.row.updatedAt : fake.now;
      stored.set(id, { row: { id, updatedAt, payload }, removal: null });
    },
    archive: (id) => remove(id, "archived", null),
    merge: (id, into) => remove(id, "merged", into),
    restore(id) {
      const one = stored.get(id);
      if (one) one.removal = null;
    },
    erase: (id) => void stored.delete(id),
    get live() {
      return new Map(listed().map(({ id, payload }) => [id, payload]));
    },
  };

  function remove(id: string, state: Removal["state"], into: string | null): void {
    const one = stored.get(id);
    if (one) one.removal = { id, state, at: fake.now, into };
  }

  return fake;
}

function isWithin(at: number | null, from: number, to: number): boolean {
  return at !== null && at >= from && at <= to;
}
