/** What became of a claim, in few lines: for logs and metrics. */

import type { SettleOutcome } from "../core/ledger.ts";

export interface SummaryLine {
  readonly kind: SettleOutcome["kind"];
  /** The note, of what was delivered. */
  readonly reason: string;
  readonly code: string;
  readonly count: number;
}

/** Leaves out what was delivered without a note, and what was not sent. */
export function summarize(outcomes: readonly SettleOutcome[]): readonly SummaryLine[] {
  const lines = new Map<string, SummaryLine>();
  for (const outcome of outcomes) {
    const said = saidOf(outcome);
    if (said === null) continue;
    const key = outcome.kind + said.reason;
    lines.set(key, { kind: outcome.kind, ...said, count: 1 + (lines.get(key)?.count ?? 0) });
  }
  return [...lines.values()];
}

function saidOf(outcome: SettleOutcome): Pick<SummaryLine, "reason" | "code"> | null {
  switch (outcome.kind) {
    case "delivered":
      return outcome.note === undefined ? null : { reason: outcome.note, code: outcome.code ?? OTHER };
    case "dead":
      return { reason: outcome.reason, code: outcome.code ?? OTHER };
    case "retry":
      return outcome.isUntried ? null : { reason: outcome.reason, code: OTHER };
  }
}

const OTHER = "other";
