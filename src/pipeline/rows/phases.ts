/** What each phase of a run reads, and what of it is new. */

import type { RowSource } from "../../core/row-source.ts";
import type { KnownRow } from "../../core/rows.ts";
import type { Page } from "../../core/source.ts";
import { type Compared, type Comparison, compareRemovals, compareRows, splitFates } from "./compare-rows.ts";
import { overtakenIds } from "./overtaken.ts";
import type { PullRowsOptions } from "./pull-rows.ts";
import type { RunBook } from "./run-book.ts";
import { FEW, mayVanish, tooManyVanished } from "./vanishing.ts";

export interface Phases {
  /** The pages of the phase that the run is in. */
  read(): AsyncIterable<Page>;
  /** Before a full run removes anything. Its pages throw SOURCE_CHANGED when too many rows were not listed. */
  requireFewUnseen(): AsyncIterable<Page>;
}

/** Where more changed than this, reading all is cheaper. */
const LARGE_CHANGE_SHARE = 0.25;
const LARGE_CHANGE = 20_000;

export function createPhases(options: PullRowsOptions, book: RunBook, signal: AbortSignal): Phases {
  const { source, rows, memory, clock } = options;
  const { run, note, pageOf } = book;

  async function* read(): AsyncGenerator<Page> {
    switch (run().phase) {
      case "all":
        return yield* readRows(rows.all(run().after, signal));
      case "changed":
      case "settled":
        return yield* readChanges();
      case "removed":
        return yield* readRemoved();
      case "unseen":
        return yield* readUnseen();
      case "held":
        return;
    }
  }

  async function* readRows(source: ReturnType<RowSource["all"]>): AsyncGenerator<Page> {
    for await (const page of source) {
      const { rows: found, after, readAt, warnings } = page;
      const known = await knownOf(found.map(({ id }) => id));
      const doubtful = overtakenIds(page, known, comparison());
      const told = found.filter(({ id }) => !doubtful.includes(id));
      const asked = await askAgain(doubtful, known);
      const compared = joined([compareRows(told, known, readAt, comparison()), ...asked]);
      note({ after, read: found.length, changed: compared.records.length, warnings });
      yield pageOf(compared);
    }
  }

  /** Those removed meanwhile are left for the end of the run, which asks for all that it did not see. */
  async function askAgain(ids: readonly string[], known: ReadonlyMap<string, KnownRow>): Promise<readonly Compared[]> {
    const compared: Compared[] = [];
    const { fatesAtOnce } = rows.traits;
    for (let at = 0; at < ids.length; at += fatesAtOnce) {
      const fates = (await rows.fates?.(ids.slice(at, at + fatesAtOnce), signal)) ?? [];
      for (const { row, readAt } of splitFates(fates).live) {
        compared.push(compareRows([row], known, readAt, comparison()));
      }
    }
    return compared;
  }

  async function* readChanges(): AsyncGenerator<Page> {
    const { window, after, kind } = run();
    if (!rows.changed || !window) return;
    for await (const page of rows.changed(window, after, signal)) {
      if (kind === "changes" && after === null && (await isLarge(page.expected ?? 0))) {
        book.become({ ...book.state(), run: { ...run(), kind: "full", phase: "all", window: null, covers: null } });
        return yield* readRows(rows.all(null, signal));
      }
      yield* readRows(only(page));
    }
  }

  /** Counting the rows is not worth it for a few. */
  async function isLarge(expected: number): Promise<boolean> {
    return expected > LARGE_CHANGE && expected > LARGE_CHANGE_SHARE * (await liveRows());
  }

  /** Nothing is told before it is known that few enough are removed; a full run knows that already. */
  async function* readRemoved(): AsyncGenerator<Page> {
    if (!rows.removed) return;
    const { removedAt } = book.state();
    const since = removedAt === null ? null : removedAt - rows.traits.overlapMs;
    const isChecked = run().kind === "full" || options.acceptsRemovals === true;
    const unchecked: Compared[] = [];
    const begin = book.state();
    for await (const { removals, after, readAt, warnings } of rows.removed(since, run().after, signal)) {
      const known = await knownOf(removals.map(({ id }) => id));
      const compared = compareRemovals(removals, known, readAt, comparison());
      note({ after, removed: compared.records.length, warnings });
      if (isChecked) yield pageOf(compared);
      else unchecked.push(compared);
      if (!isChecked) yield* requireFewRemoved();
    }
    // Killed among these, the next run finds again what was not told.
    for (const [index, one] of unchecked.entries()) {
      yield index + 1 < unchecked.length ? pageOf(one, begin) : pageOf(one);
    }
  }

  /** Rows that were not listed, with what the source says of each. */
  async function* readUnseen(): AsyncGenerator<Page> {
    const { startedAt } = run();
    const limit = rows.traits.fatesAtOnce;
    for (;;) {
      const unseen = await memory.unseenRows({ source, before: startedAt, after: run().after, limit });
      const last = unseen.at(-1);
      if (!last || signal.aborted) return;
      yield pageOf(await explain(unseen, last.id));
    }
  }

  async function explain(unseen: readonly KnownRow[], after: string): Promise<Compared> {
    const ids = unseen.map(({ id }) => id);
    const fates = rows.fates ? await rows.fates(ids, signal) : [];
    const told = new Set(fates.map(({ id }) => id));
    const gone = ids.filter((id) => !told.has(id)).map((id) => ({ id, state: "gone" as const, at: null, into: null }));
    const known = new Map(unseen.map((row) => [row.id, row]));
    const { live, removals } = splitFates(fates);
    const back = live.map(({ row, readAt }) => compareRows([row], known, readAt, comparison()));
    const removed = compareRemovals([...removals, ...gone], known, clock.now(), comparison());
    note({ after, removed: removed.records.length });
    return joined([...back, removed]);
  }

  async function* requireFewUnseen(): AsyncGenerator<Page> {
    if (run().kind !== "full" || options.acceptsRemovals) return;
    const { live, unseen } = await memory.countRows({ source, before: run().startedAt });
    if (!mayVanish(unseen, live)) yield* hold(unseen, live);
  }

  async function* requireFewRemoved(): AsyncGenerator<Page> {
    const { removed } = run();
    if (removed <= FEW) return;
    const live = await liveRows();
    if (!mayVanish(removed, live)) yield* hold(removed, live);
  }

  /** The next run begins anew, since what this one read is not to be believed. */
  async function* hold(vanished: number, live: number): AsyncGenerator<Page> {
    book.become({ ...book.state(), run: { ...run(), phase: "held", after: null } });
    yield pageOf({ records: [], rows: [] });
    await book.allOnDisk();
    throw tooManyVanished(vanished, live);
  }

  async function liveRows(): Promise<number> {
    return (await memory.countRows({ source, before: 0 })).live;
  }

  async function knownOf(ids: readonly string[]): Promise<ReadonlyMap<string, KnownRow>> {
    return new Map((await memory.rows({ source, ids })).map((row) => [row.id, row]));
  }

  function comparison(): Comparison {
    const { startedAt, kind } = run();
    const { digest } = options;
    return { source, digest, startedAt, notesSeen: kind === "full", receivedAt: clock.now() };
  }

  return { read, requireFewUnseen };
}

function joined(compared: readonly Compared[]): Compared {
  return { records: compared.flatMap(({ records }) => records), rows: compared.flatMap(({ rows }) => rows) };
}

async function* only<One>(one: One): AsyncGenerator<One> {
  yield one;
}
