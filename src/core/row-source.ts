/**
 * Port: a source that holds rows, such as the companies of a CRM or a table. It is asked for all of them, for those that
 * changed, and what became of those it lists no more; what of that is new is found out by `pipeline/rows`.
 */

import type { JsonObject } from "./json.ts";
import type { RowState } from "./rows.ts";

export interface RowSource {
  readonly traits: RowTraits;

  /**
   * Called before anything of a run, with what it asked to be told again when it was called last; null: nothing.
   * @throws SOURCE_CHANGED when it lacks what the configuration or the mapping names
   */
  begin(signal: AbortSignal, remembered: string | null): Promise<RowBeginning>;

  /** Every live row, from after the cursor of an earlier page on; null: from the first. */
  all(after: string | null, signal: AbortSignal): AsyncIterable<RowPage>;

  /**
   * Rows modified within `window`, with what they say now; others may come along. Null: the source does not know when
   * its rows were modified.
   */
  readonly changed: ((window: RowWindow, after: string | null, signal: AbortSignal) => AsyncIterable<RowPage>) | null;

  /** Rows removed since `since`, or as far back as the source tells (null). Null: it does not list them. */
  readonly removed:
    | ((since: number | null, after: string | null, signal: AbortSignal) => AsyncIterable<RemovedPage>)
    | null;

  /** What became of rows that it listed before and lists no more. Null: what is not listed is gone. */
  readonly fates: ((ids: readonly string[], signal: AbortSignal) => Promise<readonly Fate[]>) | null;

  /** Requests made so far, repetitions included. */
  requests(): number;
  close(): Promise<void>;
}

export interface RowBeginning {
  /** The source's own time, ms UTC: windows are reckoned by it. */
  readonly at: number;
  readonly warnings: readonly string[];
  /** To be told at the next begin. */
  readonly remembers?: string;
  /** All rows say something else than at the last begin, though they were not modified: they are read again. */
  readonly saysOtherwise?: boolean;
}

/**
 * Every method that asks throws SOURCE_UNAVAILABLE (may be tried again), SOURCE_LIMITED (not before `retryAfterMs`),
 * SOURCE_REFUSED (credentials, scopes) or SOURCE_CHANGED. Stops early, without error, when its signal aborts.
 */
export interface RowTraits {
  /** How far behind the present a window ends: what is newer may not be found yet, in ms. */
  readonly lagMs: number;
  /** By how much a window begins before the one before it ended, in ms. */
  readonly overlapMs: number;
  /** After this time all that was modified is found for sure: windows are read once more then. Null: at once. */
  readonly settledMs: number | null;
  /** Ids that `fates` takes at once. */
  readonly fatesAtOnce: number;
}

/** Times of modification, ms UTC, both inclusive. */
export interface RowWindow {
  readonly from: number;
  readonly to: number;
}

export interface RowPage {
  readonly rows: readonly Row[];
  /** Stands for all up to its end. */
  readonly after: string;
  /** When its rows were read, by the source's clock, ms UTC. */
  readonly readAt: number;
  /**
   * They may be as they were up to so long before `readAt`, in ms: what is known of a row from then on is not undone by
   * them. Default: they are as they were then.
   */
  readonly behindMs?: number;
  /** Rows that the whole of it has, if the source tells. */
  readonly expected?: number;
  /** What an operator should know of them. */
  readonly warnings?: readonly string[];
}

export interface Row {
  readonly id: string;
  /** When it was modified, by the source's clock, ms UTC; null: it does not say. Some changes do not move it. */
  readonly updatedAt: number | null;
  /** What the mapping reads. */
  readonly payload: JsonObject;
}

export interface Removal {
  readonly id: string;
  readonly state: Exclude<RowState, "live">;
  /** When, by the source's clock, ms UTC; null: it does not say. */
  readonly at: number | null;
  /** Of the row it was merged into. */
  readonly into: string | null;
  /** What the mapping reads beside that, where the id alone says too little. */
  readonly payload?: JsonObject;
}

export interface RemovedPage extends Pick<RowPage, "after" | "readAt" | "warnings"> {
  readonly removals: readonly Removal[];
}

/** A row that is still there may say something new. */
export type Fate =
  | Removal
  | { readonly id: string; readonly state: "live"; readonly row: Row; readonly readAt: number };
