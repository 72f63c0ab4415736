/** What a look at a destination found, check by check. Plain JSON. */

export interface Check {
  /** What was looked at, in a word or two. */
  readonly name: string;
  readonly verdict: Verdict;
  /** One sentence each; without secrets. */
  readonly found: string;
  /** What follows from it; null: nothing that matters. */
  readonly means: string | null;
  readonly todo: string | null;
}

/** `left out`: it could not be looked at; `found` says why. */
export type Verdict = "ok" | "warning" | "problem" | "left out";

export interface Checkup {
  readonly destination: string;
  readonly checks: readonly Check[];
}

export function fine(name: string, found: string): Check {
  return { name, verdict: "ok", found, means: null, todo: null };
}

export function leftOut(name: string, why: string, todo: string | null = null): Check {
  return { name, verdict: "left out", found: why, means: null, todo };
}

export type Told = Omit<Check, "name" | "verdict">;

export function warning(name: string, told: Told): Check {
  return { name, verdict: "warning", ...told };
}

export function problem(name: string, told: Told): Check {
  return { name, verdict: "problem", ...told };
}
