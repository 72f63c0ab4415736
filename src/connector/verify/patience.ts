/** Asks until there is an answer: as long as PostHog, or our budget, asks for a pause; a few times where nothing is reached. */

import type { Clock } from "../../core/clock.ts";
import { backoffMs } from "../../core/retry.ts";
import type { ApiFailure } from "../../destinations/posthog/private-api/failure.ts";

export interface Patience {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly onPause: (ms: number, reason: string) => void;
}

const MOST_FAILURES = 8;

/** The failure that it gave up on, or at which it was stopped. */
export async function patiently<Answer extends object>(
  ask: () => Promise<Answer | ApiFailure>,
  { clock, random, signal, onPause }: Patience,
): Promise<Answer | ApiFailure> {
  for (let failures = 0; ; ) {
    const answer = await ask();
    if (!isFailure(answer) || answer.kind !== "later" || signal.aborted) return answer;
    if (answer.afterMs === undefined) failures += 1;
    if (failures >= MOST_FAILURES) return answer;
    const ms = answer.afterMs ?? backoffMs(failures, random());
    onPause(ms, answer.reason);
    await clock.sleep(ms, signal);
  }
}

export function isFailure<Answer extends object>(answer: Answer | ApiFailure): answer is ApiFailure {
  return "reason" in answer && "kind" in answer;
}
