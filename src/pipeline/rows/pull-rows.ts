/** Pulls the rows of a source: all of them, or what changed, and what became of those that are gone. Gives only what is new. */

import type { Clock } from "../../core/clock.ts";
import type { RowSource } from "../../core/row-source.ts";
import type { RowMemory } from "../../core/rows.ts";
import type { Page, PullSource } from "../../core/source.ts";
import { createPhases } from "./phases.ts";
import { createRunBook } from "./run-book.ts";
import { chooseRun, completed, nextPhase, parseState, phaseDone } from "./run-state.ts";

export interface PullRowsOptions {
  /** Name of the source in prickle.yaml. */
  readonly source: string;
  readonly rows: RowSource;
  readonly memory: RowMemory;
  /** Of the mapping and whatever else decides what rows say: another one, and all rows are read again. */
  readonly digest: string;
  readonly clock: Pick<Clock, "now">;
  readonly fullEveryMs: number;
  /** Between times that removed rows are asked for. */
  readonly removedEveryMs: number;
  readonly isFull?: boolean | undefined;
  /** By the time of modification, ms UTC. */
  readonly since?: number | undefined;
  /** Else a run that finds that too many rows vanished stops, and they stay as they are. */
  readonly acceptsRemovals?: boolean | undefined;
  /** Nothing is kept: rows that are gone cannot be told then. */
  readonly isRehearsal?: boolean | undefined;
}

/** Cursors are described in run-state.ts. Its pages throw what the source throws, and SOURCE_CHANGED when too many rows vanished. */
export function pullRows(options: PullRowsOptions): PullSource {
  return {
    checkpointName: `rows:${options.source}`,
    pages: (cursor, signal) => pages(options, cursor, signal),
  };
}

async function* pages(options: PullRowsOptions, cursor: string | null, signal: AbortSignal): AsyncGenerator<Page> {
  const { rows, digest, isFull = false, since, isRehearsal = false } = options;
  const requestsBefore = rows.requests();
  const before = parseState(cursor, digest);
  const { at, warnings, remembers = null, saysOtherwise = false } = await rows.begin(signal, before.remembered);
  const asked = { isFull, since: since ?? null, now: at, saysOtherwise };
  const choice = { ...options, ...asked, knowsChanges: rows.changed !== null, traits: rows.traits };
  const begun = chooseRun({ ...before, remembered: remembers }, choice);
  const book = createRunBook(begun, () => rows.requests() - requestsBefore);
  const phases = createPhases(options, book, signal);
  book.note({ warnings });
  for (;;) {
    yield* phases.read();
    if (signal.aborted || !(await book.allOnDisk())) return;
    book.become(phaseDone(book.state()));
    const next = isRehearsal ? null : nextPhase(book.state(), choice);
    if (!next) break;
    book.become({ ...book.state(), run: next });
    if (next.phase === "removed") yield* phases.requireFewUnseen();
  }
  yield book.pageOf({ records: [], rows: [] }, completed(book.state(), choice));
}
