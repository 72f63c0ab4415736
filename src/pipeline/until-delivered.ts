/** Waits until every destination has what was in the outbox. */

import type { Clock } from "../core/clock.ts";
import type { Ledger } from "../core/ledger.ts";

const LOOK_EVERY_MS = 200;

/** Resolves when all that was committed up to now is settled everywhere, or when `signal` aborts. `observe` is told how much waits. */
export async function untilDelivered(
  ledger: Pick<Ledger, "status">,
  clock: Clock,
  observe: (depth: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const endedAt = clock.now();
  while (!signal.aborted) {
    const { depth, destinations } = await ledger.status();
    observe(depth);
    const oldest = Math.min(
      ...destinations.map(({ oldestCommittedAt }) => oldestCommittedAt ?? Number.POSITIVE_INFINITY),
    );
    if (oldest > endedAt) return;
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}
