/** The ledger as the benchmarks open it: one destination, no bound on what may wait. */

import { mkdirSync } from "node:fs";
import type { Ledger } from "../../src/core/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite/open.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { createLogger } from "../../src/platform/logger.ts";

export const BENCH_DESTINATION = "posthog";

export function openBenchLedger(directory: string): Promise<Ledger> {
  mkdirSync(directory, { recursive: true });
  return openSqliteLedger({
    directory,
    destinations: [BENCH_DESTINATION],
    maxDepth: 100_000_000,
    seenDays: 7,
    clock: systemClock,
    logger: createLogger("warn"),
  });
}
