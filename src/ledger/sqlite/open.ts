/** The ledger on SQLite: one file, one process, everything that waits for the disk in a worker thread. */

import type { Clock } from "../../core/clock.ts";
import { PrickleError } from "../../core/errors.ts";
import type { Ledger } from "../../core/ledger.ts";
import type { Logger } from "../../core/observer.ts";

export interface SqliteLedgerOptions {
  /** That holds, or will hold, `ledger.sqlite`. Must exist. */
  readonly directory: string;
  /** Names of those to feed. One added later gets what is then still in the outbox; one left out holds nothing back. */
  readonly destinations: readonly string[];
  /** Messages the outbox may hold before commits are refused. */
  readonly maxDepth: number;
  /** For how many days an id is known again, and a rejection kept. */
  readonly seenDays: number;
  /** Used when the ledger is created; an older one keeps its own. 64 by default. */
  readonly lanes?: number;
  readonly clock?: Pick<Clock, "now">;
  readonly logger: Logger;
}

/** @throws LEDGER_LOCKED, LEDGER_TOO_NEW, LEDGER_FULL, LEDGER_UNAVAILABLE */
export async function openSqliteLedger(options: SqliteLedgerOptions): Promise<Ledger> {
  throw new PrickleError("LEDGER_UNAVAILABLE", `${options.directory}: the ledger is not written yet`);
}
