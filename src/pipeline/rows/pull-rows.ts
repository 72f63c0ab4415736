/** Pulls the rows of a source: all of them, or what changed, and what became of those that are gone. Gives only what is new. */

import type { Clock } from "../../core/clock.ts";
import { PrickleError } from "../../core/errors.ts";
import type { RowSource } from "../../core/row-source.ts";
import type { KnownRow, RowMemory } from "../../core/rows.ts";
import type { Page, PullSource } from "../../core/source.ts";
import { type Compared, type Comparison, compareRemovals, compareRows, splitFates } from "./compare-rows.ts";
import { chooseRun, completed, nextPhase, type PullState, parseState, phaseDone, type RunState } from "./run-state.ts";

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

/** Of the rows known: more vanishing in one run is a lost scope or a changed filter until somebody says that it is right. */
const MOST_REMOVED_SHARE = 0.05;
const MOST_REMOVED = 50;
/** Where more changed than this, reading all is cheaper. */
const LARGE_CHANGE_SHARE = 0.25;
const LARGE_CHANGE = 20_000;
const MOST_WARNINGS = 50;

/** Cursors are described in run-state.ts. Its pages throw what the source throws, and SOURCE_CHANGED when too many rows vanished. */
export function pullRows(options: PullRowsOptions): PullSource {
  return {
    checkpointName: `rows:${options.source}`,
    pages: (cursor, signal) => createRun(options, signal).pages(cursor),
  };
}

type Running = PullState & { readonly run: RunState };

function createRun(options: PullRowsOptions, signal: AbortSignal) {
  const { source, rows, memory, clock, isRehearsal = false } = options;
  const committed = createCommitWatch();
  const requestsBefore = rows.requests();
  let state: Running;

  async function* pages(cursor: string | null): AsyncGenerator<Page> {
    const before = parseState(cursor, options.digest);
    const { at, warnings, remembers = null, saysOtherwise = false } = await rows.begin(signal, before.remembered);
    const choice = { ...options, ...given(options), now: at, saysOtherwise, ...traitsOf(rows) };
    state = chooseRun({ ...before, remembered: remembers }, choice);
    note({ warnings });
    for (;;) {
      yield* readPhase();
      if (signal.aborted || !(await committed.all())) return;
      state = phaseDone(state);
      const next = isRehearsal ? null : nextPhase(state, choice);
      if (!next) break;
      state = { ...state, run: next };
      if (run().phase === "removed") yield* requireFewUnseen();
    }
    yield pageOf({ records: [], rows: [] }, completed(state, choice));
  }

  const run = () => state.run;

  async function* readPhase(): AsyncGenerator<Page> {
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
    for await (const { rows: found, after, readAt, warnings } of source) {
      const known = await knownOf(found.map(({ id }) => id));
      const compared = compareRows(found, known, readAt, comparison());
      note({ after, read: found.length, changed: compared.records.length, warnings });
      yield pageOf(compared);
    }
  }

  async function* readChanges(): AsyncGenerator<Page> {
    const { window, after } = run();
    if (!rows.changed || !window) return;
    const limit = Math.max(LARGE_CHANGE, LARGE_CHANGE_SHARE * (await liveRows()));
    for await (const page of rows.changed(window, after, signal)) {
      if ((page.expected ?? 0) > limit && run().kind === "changes" && after === null) {
        state = { ...state, run: { ...run(), kind: "full", phase: "all", window: null, covers: null } };
        return yield* readRows(rows.all(null, signal));
      }
      yield* readRows(only(page));
    }
  }

  /** Nothing is told before it is known that few enough are removed; a full run knows that already. */
  async function* readRemoved(): AsyncGenerator<Page> {
    if (!rows.removed) return;
    const since = state.removedAt === null ? null : state.removedAt - rows.traits.overlapMs;
    const isChecked = run().kind === "full" || options.acceptsRemovals === true;
    const unchecked: Compared[] = [];
    const begin = state;
    for await (const { removals, after, readAt, warnings } of rows.removed(since, run().after, signal)) {
      const known = await knownOf(removals.map(({ id }) => id));
      const compared = compareRemovals(removals, known, readAt, comparison());
      note({ after, removed: compared.records.length, warnings });
      if (isChecked) yield pageOf(compared);
      else unchecked.push(compared);
      if (!isChecked) yield* requireFewRemoved();
    }
    // Killed among these, the next run finds again what was not told.
    for (const [index, one] of unchecked.entries()) yield pageOf(one, index + 1 < unchecked.length ? begin : state);
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
    return {
      records: [...back.flatMap(({ records }) => records), ...removed.records],
      rows: [...back.flatMap((one) => one.rows), ...removed.rows],
    };
  }

  async function* requireFewUnseen(): AsyncGenerator<Page> {
    if (run().kind !== "full" || options.acceptsRemovals) return;
    const { live, unseen } = await memory.countRows({ source, before: run().startedAt });
    if (unseen > mostOf(live)) yield* hold(unseen, live);
  }

  async function* requireFewRemoved(): AsyncGenerator<Page> {
    if (run().removed <= MOST_REMOVED) return;
    const live = await liveRows();
    if (run().removed > mostOf(live)) yield* hold(run().removed, live);
  }

  /** The next run begins anew, since what this one read is not to be believed. */
  async function* hold(vanished: number, live: number): AsyncGenerator<Page> {
    state = { ...state, run: { ...run(), phase: "held", after: null } };
    yield pageOf({ records: [], rows: [] });
    await committed.all();
    throw tooFew(vanished, live);
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

  function note({ after = run().after, read = 0, changed = 0, removed = 0, warnings = [] }: Noted): void {
    const before = run();
    const all = new Set([...before.warnings, ...warnings]);
    const counts = { read: before.read + read, changed: before.changed + changed, removed: before.removed + removed };
    state = { ...state, run: { ...before, ...counts, after, warnings: [...all].slice(0, MOST_WARNINGS) } };
  }

  function pageOf({ records, rows: known }: Compared, after: PullState = state): Page {
    const { kind, startedAt, covers, read, changed, removed, warnings } = run();
    const requests = rows.requests() - requestsBefore;
    const report = { kind, startedAt, window: covers, read, changed, removed, requests, warnings };
    return {
      records,
      rejections: [],
      rows: known,
      cursor: JSON.stringify(after),
      progress: { records: read, bytes: 0, totalBytes: null, run: report },
      committed: committed.expect(),
    };
  }

  return { pages };
}

interface Noted {
  readonly after?: string | null;
  readonly read?: number;
  readonly changed?: number;
  readonly removed?: number;
  readonly warnings?: readonly string[] | undefined;
}

function given({ isFull = false, since }: PullRowsOptions) {
  return { isFull, since: since ?? null };
}

function traitsOf({ changed, traits }: RowSource) {
  return { knowsChanges: changed !== null, traits };
}

function mostOf(rows: number): number {
  return Math.max(MOST_REMOVED, rows * MOST_REMOVED_SHARE);
}

function tooFew(vanished: number, live: number): PrickleError {
  return new PrickleError("SOURCE_CHANGED", `${vanished} of ${live} rows vanished in one run: nothing is removed.`, {
    hint: "A lost scope or a changed filter? If it is right so: prickle sync NAME --accept-removals.",
  });
}

async function* only<One>(one: One): AsyncGenerator<One> {
  yield one;
}

/** Knows when all pages given out are on disk: what is counted then is true. */
function createCommitWatch() {
  const open = new Set<Promise<void>>();
  let isLost = false;
  return {
    expect(): (isOnDisk: boolean) => void {
      const page = Promise.withResolvers<void>();
      open.add(page.promise);
      return (isOnDisk) => {
        isLost ||= !isOnDisk;
        open.delete(page.promise);
        page.resolve();
      };
    },
    /** False: one of them will not be. */
    async all(): Promise<boolean> {
      await Promise.all(open);
      return !isLost;
    },
  };
}
