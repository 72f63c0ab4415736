/** What rows say that was not known of them: records to map, and what is known from then on. */

import { canonicalJson, type JsonObject } from "../../core/json.ts";
import { murmur128 } from "../../core/murmur.ts";
import type { SourceRecord } from "../../core/record.ts";
import type { Fate, Removal, Row } from "../../core/row-source.ts";
import type { KnownRow } from "../../core/rows.ts";

export interface Comparison {
  readonly source: string;
  /** Of the mapping and whatever else decides what rows say. */
  readonly digest: string;
  /** When the run began, ms UTC. */
  readonly startedAt: number;
  /** Whether to note that a row was seen although it says nothing new. */
  readonly notesSeen: boolean;
  readonly receivedAt: number;
}

export interface Compared {
  readonly records: readonly SourceRecord[];
  readonly rows: readonly KnownRow[];
}

type Known = ReadonlyMap<string, KnownRow>;

/** `readAt`: when, by the source's clock. */
export function compareRows(rows: readonly Row[], known: Known, readAt: number, comparison: Comparison): Compared {
  const records: SourceRecord[] = [];
  const changes: KnownRow[] = [];
  for (const row of new Map(rows.map((one) => [one.id, one])).values()) {
    const before = known.get(row.id);
    const digest = digestOf(row.payload, comparison.digest);
    const seenAt = comparison.startedAt;
    if (before?.digest === digest && before.state === "live") {
      if (comparison.notesSeen) changes.push({ ...before, seenAt });
      continue;
    }
    const toldAt = timeOf(row, before, readAt);
    changes.push({ id: row.id, digest, toldAt, seenAt, state: "live" });
    const payload = before && before.state !== "live" ? { ...row.payload, restored: true } : row.payload;
    records.push(recordOf(row.id, payload, { toldAt, digest }, comparison));
  }
  return { records, rows: changes };
}

/**
 * Rows never told of say nothing by being removed, nor do those of which it was said before. Of one that is gone nobody
 * knows since when: what another row said of its group after it was last seen is newer, such as the one it was merged into.
 */
export function compareRemovals(
  removals: readonly Removal[],
  known: Known,
  readAt: number,
  comparison: Comparison,
): Compared {
  const records: SourceRecord[] = [];
  const rows: KnownRow[] = [];
  for (const { id, state, at, into, payload } of removals) {
    const before = known.get(id);
    if (!before || !isNews(before, { state, at }, comparison)) continue;
    const toldAt = state === "gone" && at === null ? before.toldAt + 1 : Math.max(at ?? readAt, before.toldAt + 1);
    const row = { ...before, toldAt, state };
    const removed = { as: state, at: new Date(at ?? readAt).toISOString(), into };
    rows.push(row);
    records.push(recordOf(id, { ...payload, id, removed }, { toldAt, digest: state }, comparison));
  }
  return { records, rows };
}

/** Listed among the live in the same run: unless it was removed after that, it was restored. */
function isNews(before: KnownRow, { state, at }: Pick<Removal, "state" | "at">, { startedAt }: Comparison): boolean {
  if (before.state !== "live") return state === "merged" && before.state !== "merged";
  return before.seenAt < startedAt || (at !== null && at >= startedAt);
}

/** Those still there, and the others. */
export function splitFates(fates: readonly Fate[]) {
  const live = fates.flatMap((fate) => (fate.state === "live" ? [fate] : []));
  const removals = fates.flatMap((fate) => (fate.state === "live" ? [] : [fate]));
  return { live, removals };
}

/** Not every change moves the time of modification: then it was true when it was read. */
function timeOf({ updatedAt }: Row, before: KnownRow | undefined, readAt: number): number {
  const last = before?.toldAt ?? Number.NEGATIVE_INFINITY;
  return updatedAt !== null && updatedAt > last ? updatedAt : Math.max(readAt, last + 1);
}

interface Saying {
  readonly toldAt: number;
  readonly digest: string;
}

function recordOf(
  id: string,
  payload: JsonObject,
  { toldAt, digest }: Saying,
  { source, receivedAt }: Comparison,
): SourceRecord {
  const said = `${id}@${new Date(toldAt).toISOString()}-${digest.slice(0, 8)}`;
  return { source, id: said, occurredAt: toldAt, statedAt: toldAt, receivedAt, payload };
}

/** Of the JSON text with the keys of objects in order, in 96 bits: a million rows share one with a chance of 1 in 10¹⁶. */
export function digestOf(payload: JsonObject, seed: string): string {
  const words = murmur128(seed + canonicalJson(payload));
  return words
    .slice(0, 3)
    .map((word) => (word >>> 0).toString(16).padStart(8, "0"))
    .join("");
}
