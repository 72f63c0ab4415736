/** How far the rows of a source are known, and the run under way: the checkpoint between its pages. */

import { z } from "zod";
import { PrickleError } from "../../core/errors.ts";
import type { RowTraits, RowWindow } from "../../core/row-source.ts";

const FORMAT = 1;
const time = z.int();
const window = z.strictObject({ from: time, to: time });

const runSchema = z.strictObject({
  kind: z.enum(["full", "changes"]),
  startedAt: time,
  /** What is read, in this order; `held`: too many rows vanished, and what was read is not to be believed. */
  phase: z.enum(["all", "changed", "settled", "removed", "unseen", "held"]),
  /** Where in the phase. */
  after: z.string().nullable(),
  /** Of the phase, and of the run. */
  window: window.nullable(),
  covers: window.nullable(),
  read: z.int(),
  changed: z.int(),
  removed: z.int(),
  warnings: z.array(z.string()),
});
export type RunState = z.infer<typeof runSchema>;

const stateSchema = z.strictObject({
  v: z.literal(FORMAT),
  /** Of the mapping and whatever else decides what rows say. */
  digest: z.string(),
  /** Times by the source's clock, ms UTC; null: never. When the last full run began, up to when changes are known, and known for sure; when removed rows were asked for. */
  fullAt: time.nullable(),
  knownTo: time.nullable(),
  settledTo: time.nullable(),
  removedAt: time.nullable(),
  /** When the last run began: no two begin at one time. */
  ranAt: time.nullable(),
  /** What the source asked to be told again. */
  remembered: z.string().nullable(),
  run: runSchema.nullable(),
});
export type PullState = z.infer<typeof stateSchema>;

export function parseState(cursor: string | null, digest: string): PullState {
  if (cursor === null) {
    const never = { fullAt: null, knownTo: null, settledTo: null, removedAt: null, ranAt: null };
    return { v: FORMAT, digest, ...never, remembered: null, run: null };
  }
  try {
    return stateSchema.parse(JSON.parse(cursor));
  } catch (cause) {
    throw new PrickleError("INPUT_INVALID", "The stored checkpoint of the source cannot be read.", {
      hint: "It was written by another version of prickle: run that one, or sync under another name of the source.",
      cause,
    });
  }
}

export interface RunChoice {
  readonly digest: string;
  /** By the source's clock. */
  readonly now: number;
  readonly fullEveryMs: number;
  readonly removedEveryMs: number;
  /** Somebody asked for all rows. */
  readonly isFull: boolean;
  /** Somebody asked for what changed from then on. */
  readonly since: number | null;
  readonly knowsChanges: boolean;
  /** All rows say something else than before. */
  readonly saysOtherwise: boolean;
  readonly traits: RowTraits;
}

/** The run to go on with: the one that was interrupted, if it still says what is wanted, else a new one. */
export function chooseRun(state: PullState, choice: RunChoice): PullState & { readonly run: RunState } {
  const { run } = state;
  const { digest, now } = choice;
  if (run && isStillWanted(run, state, choice)) return { ...state, run };
  const startedAt = Math.max(now, (state.ranAt ?? 0) + 1);
  const begun = { startedAt, after: null, read: 0, changed: 0, removed: 0, warnings: [] };
  if (isFullDue(state, choice))
    return {
      ...state,
      digest,
      ranAt: startedAt,
      run: { ...begun, kind: "full", phase: "all", window: null, covers: null },
    };
  const window = changesWindow(state, choice);
  return {
    ...state,
    digest,
    // A full run that was interrupted is given up for this: it is due again after it.
    fullAt: run?.kind === "full" ? null : state.fullAt,
    ranAt: startedAt,
    run: { ...begun, kind: "changes", phase: "changed", window, covers: window },
  };
}

function isStillWanted(run: RunState, { digest }: PullState, choice: RunChoice): boolean {
  if (digest !== choice.digest || choice.since !== null || choice.saysOtherwise) return false;
  if (choice.isFull && run.kind !== "full") return false;
  return run.phase !== "held";
}

function isFullDue({ fullAt, knownTo, digest, run }: PullState, choice: RunChoice): boolean {
  if (choice.isFull || choice.saysOtherwise || !choice.knowsChanges) return true;
  if (digest !== choice.digest || run?.phase === "held") return true;
  if (choice.since !== null) return false;
  return fullAt === null || knownTo === null || choice.now - fullAt >= choice.fullEveryMs;
}

function changesWindow({ knownTo }: PullState, { since, now, traits }: RunChoice): RowWindow {
  const from = since ?? (knownTo ?? now) - traits.overlapMs;
  return { from: Math.max(0, Math.min(from, now - traits.lagMs)), to: now - traits.lagMs };
}

/** What comes after the run's phase; null: it is over. */
export function nextPhase(state: PullState & { readonly run: RunState }, choice: RunChoice): RunState | null {
  const { run } = state;
  const to = (phase: RunState["phase"], window: RowWindow | null = null) => ({ ...run, phase, window, after: null });
  const isRemovedDue = state.removedAt === null || choice.now - state.removedAt >= choice.removedEveryMs;
  switch (run.phase) {
    case "all":
      return to("removed");
    case "changed": {
      const again = settledWindow(state, choice);
      if (again) return to("settled", again);
      return isRemovedDue ? to("removed") : null;
    }
    case "settled":
      return isRemovedDue ? to("removed") : null;
    case "removed":
      return run.kind === "full" ? to("unseen") : null;
    case "unseen":
    case "held":
      return null;
  }
}

/** Not for every few minutes: once an hour's worth has gathered. */
function settledWindow({ settledTo, fullAt }: PullState, { traits, now }: RunChoice): RowWindow | null {
  const { settledMs, overlapMs } = traits;
  if (settledMs === null) return null;
  const from = (settledTo ?? fullAt ?? now) - overlapMs;
  return now - from < 2 * settledMs ? null : { from: Math.max(0, from), to: now - settledMs };
}

/** What is known once the run is over. */
export function completed(state: PullState & { readonly run: RunState }, { traits }: RunChoice): PullState {
  const { run } = state;
  if (run.kind !== "full") return { ...state, run: null };
  const at = run.startedAt;
  return { ...state, fullAt: at, knownTo: at - traits.lagMs, settledTo: at, removedAt: at, run: null };
}

/** A window that begins later leaves a gap: what is known ends before it. */
function knownAfter(knownTo: number | null, window: RowWindow | null): number | null {
  return knownTo === null || window === null || window.from > knownTo ? knownTo : Math.max(knownTo, window.to);
}

/** What is known once a phase is over. */
export function phaseDone(state: PullState & { readonly run: RunState }): PullState & { readonly run: RunState } {
  const { run } = state;
  if (run.phase === "changed") return { ...state, knownTo: knownAfter(state.knownTo, run.window) };
  if (run.phase === "settled") return { ...state, settledTo: run.window?.to ?? state.settledTo };
  if (run.phase === "removed") return { ...state, removedAt: run.startedAt };
  return state;
}
