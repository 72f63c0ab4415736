/** Rows pulled into a memory that knows what a ledger would, and what the records say of them in the end. */

import { PrickleError } from "../../src/core/errors.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import type { SourceRecord } from "../../src/core/record.ts";
import type { KnownRow, RowMemory } from "../../src/core/rows.ts";
import type { Page } from "../../src/core/source.ts";
import { type PullRowsOptions, pullRows } from "../../src/pipeline/rows/pull-rows.ts";
import { createManualClock } from "../fakes/clock.ts";
import type { FakeRows } from "../fakes/rows.ts";

const DAY_MS = 86_400_000;

/** What was said of one time has no order that can be relied on: here the greater text counts. */
function inTheOrderOfTime(one: SourceRecord, other: SourceRecord): number {
  if (one.occurredAt !== other.occurredAt) return one.occurredAt - other.occurredAt;
  return JSON.stringify(one.payload) < JSON.stringify(other.payload) ? -1 : 1;
}

export type Options = Partial<Pick<PullRowsOptions, "digest" | "isFull" | "since" | "acceptsRemovals" | "isRehearsal">>;

export interface RowsRig {
  /** Pulls until the end, or until `pages` were committed; gives the pages. */
  pull(options?: Options, pages?: number): Promise<readonly Page[]>;
  readonly records: readonly SourceRecord[];
  /** By row: what was said last; null: that it is gone. */
  said(): ReadonlyMap<string, JsonObject | null>;
  readonly known: ReadonlyMap<string, KnownRow>;
}

export function createRowsRig(rows: FakeRows): RowsRig {
  const clock = createManualClock();
  const known = new Map<string, KnownRow>();
  const seen = new Set<string>();
  const records: SourceRecord[] = [];
  let cursor: string | null = null;

  const live = () => [...known.values()].filter(({ state }) => state === "live");
  const memory: RowMemory = {
    rows: async ({ ids }) => ids.flatMap((id) => known.get(id) ?? []),
    unseenRows: async ({ before, after, limit }) =>
      live()
        .filter(({ id, seenAt }) => seenAt < before && (after === null || id > after))
        .toSorted((one, other) => (one.id < other.id ? -1 : 1))
        .slice(0, limit),
    countRows: async ({ before }) => ({
      live: live().length,
      unseen: live().filter(({ seenAt }) => seenAt < before).length,
    }),
  };

  function commit(page: Page): void {
    for (const record of page.records) if (!seen.has(record.id)) records.push(record);
    for (const { id } of page.records) seen.add(id);
    for (const row of page.rows ?? []) known.set(row.id, row);
    cursor = page.cursor;
    page.committed?.(true);
  }

  return {
    records,
    known,
    async pull(options = {}, pages = Number.POSITIVE_INFINITY) {
      const every = { fullEveryMs: 7 * DAY_MS, removedEveryMs: DAY_MS };
      const pull = pullRows({ source: "crm", rows, memory, digest: "m1", clock, ...every, ...options });
      const given: Page[] = [];
      for await (const page of pull.pages(cursor, new AbortController().signal)) {
        if (given.length === pages) return given;
        if (!("records" in page)) throw new PrickleError("INTERNAL", "rows are not prepared");
        given.push(page);
        if (!options.isRehearsal) commit(page);
        else page.committed?.(true);
      }
      return given;
    },
    said() {
      const last = new Map<string, JsonObject | null>();
      for (const { payload, id } of records.toSorted(inTheOrderOfTime)) {
        const row = id.slice(0, id.indexOf("@"));
        const { restored: _, ...rest } = payload;
        last.set(row, isJsonObject(payload.removed) ? null : rest);
      }
      return last;
    },
  };
}
