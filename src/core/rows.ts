/**
 * Rows: what a source that is asked holds now, under an id of its own. A record is made of a row when it changed, or when it
 * is gone; so the ledger remembers of each row what it said last.
 */

/** How a row stands at its source, as far as it is known. */
export type RowState = "live" | "archived" | "merged" | "gone";

export interface KnownRow {
  readonly id: string;
  /** Of its content and of the mapping that read it: the same digest says the same. */
  readonly digest: string;
  /** The time of the last record made of it, ms UTC. */
  readonly toldAt: number;
  /** When the last run that saw it began, ms UTC. */
  readonly seenAt: number;
  readonly state: RowState;
}

export interface RowCount {
  /** Rows that are live as far as it is known. */
  readonly live: number;
  /** Of those, the ones that no run saw that began at `before` or later. */
  readonly unseen: number;
}

export interface RowMemory {
  /** Those of `ids` that are known. */
  rows(query: { readonly source: string; readonly ids: readonly string[] }): Promise<readonly KnownRow[]>;
  /** Live rows that no run saw that began at `before` or later, by id, from after the id `after` on. */
  unseenRows(query: UnseenQuery): Promise<readonly KnownRow[]>;
  countRows(query: { readonly source: string; readonly before: number }): Promise<RowCount>;
}

export interface UnseenQuery {
  readonly source: string;
  readonly before: number;
  readonly after: string | null;
  readonly limit: number;
}
