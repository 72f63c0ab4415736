/** Keeps the state of a run while it goes on, and makes pages that carry it as their cursor. */

import type { RunReport } from "../../core/runs.ts";
import type { Page } from "../../core/source.ts";
import type { Compared } from "./compare-rows.ts";
import type { PullState, RunState } from "./run-state.ts";

export type Running = PullState & { readonly run: RunState };

export interface RunBook {
  state(): Running;
  run(): RunState;
  become(state: Running): void;
  /** Adds to what was read and found, and says how far it came. */
  note(noted: Noted): void;
  /** `cursor`: what the next run begins from once the page is on disk. Default: the state as it is. */
  pageOf(compared: Compared, cursor?: PullState): Page;
  /** Resolves when all pages are on disk: what is counted then is true. False: one of them will not be. */
  allOnDisk(): Promise<boolean>;
}

interface Noted {
  readonly after?: string | null;
  readonly read?: number;
  readonly changed?: number;
  readonly removed?: number;
  readonly warnings?: readonly string[] | undefined;
}

const MOST_WARNINGS = 50;

/** `requests`: made in this run so far. */
export function createRunBook(begun: Running, requests: () => number): RunBook {
  let state = begun;
  const open = new Set<Promise<void>>();
  let isLost = false;

  function expectCommit(): (isOnDisk: boolean) => void {
    const page = Promise.withResolvers<void>();
    open.add(page.promise);
    return (isOnDisk) => {
      isLost ||= !isOnDisk;
      open.delete(page.promise);
      page.resolve();
    };
  }

  return {
    state: () => state,
    run: () => state.run,

    become(next) {
      state = next;
    },

    note({ after = state.run.after, read = 0, changed = 0, removed = 0, warnings = [] }) {
      const before = state.run;
      const all = new Set([...before.warnings, ...warnings]);
      const counts = { read: before.read + read, changed: before.changed + changed, removed: before.removed + removed };
      state = { ...state, run: { ...before, ...counts, after, warnings: [...all].slice(0, MOST_WARNINGS) } };
    },

    pageOf({ records, rows }, cursor = state) {
      const report = reportOf(state.run, requests());
      return {
        records,
        rejections: [],
        rows,
        cursor: JSON.stringify(cursor),
        progress: { records: report.read, bytes: 0, totalBytes: null, run: report },
        committed: expectCommit(),
      };
    },

    async allOnDisk() {
      await Promise.all(open);
      return !isLost;
    },
  };
}

function reportOf(
  { kind, startedAt, covers, read, changed, removed, warnings }: RunState,
  requests: number,
): RunReport {
  return { kind, startedAt, window: covers, read, changed, removed, requests, warnings };
}
