/** Carries out requests: what writes in one transaction and one flush, then what reads; each by itself where that fails. */

import type { DatabaseSync } from "node:sqlite";
import { PrickleError } from "../../core/errors.ts";
import type { Counters } from "./counters.ts";
import { asLedgerError, failureOf, isFlushFailure } from "./failures.ts";
import type { StoredKnowledge } from "./knowledge/knowledge.ts";
import type { Outbox } from "./outbox.ts";
import type { Positions } from "./positions.ts";
import type { Reply, Request, Requests } from "./protocol.ts";
import type { Released } from "./released.ts";
import { createPutLogEnd } from "./schema.ts";
import type { Journal } from "./trace/journal.ts";

/** What a request gives, and what is to be done once that is on disk. */
export interface Done {
  readonly gives: Requests[keyof Requests]["gives"];
  readonly afterwards?: () => void;
}

export interface Tables {
  readonly apply: (request: Request) => Done;
  readonly outbox: Outbox;
  readonly released: Released;
  readonly positions: Positions;
  readonly counters: Counters;
  readonly knowledge: StoredKnowledge;
  readonly journal: Journal;
}

const WRITES: ReadonlySet<Request["kind"]> = new Set([
  "commit",
  "settle",
  "replayDeadLetters",
  "replayEdited",
  "dropDeadLetters",
  "expireDeadLetters",
  "repairGroups",
  "pruneSeen",
  "pruneRejections",
  "putRun",
]);

/** See Store. */
export function createCarryOut(
  database: DatabaseSync,
  tables: Tables,
  path: string,
): (requests: readonly Request[]) => readonly Reply[] {
  const inTransaction = createTransactions(database, tables, path);
  const parts = { apply: tables.apply, inTransaction, path, makeRoom: () => makeRoom(database) };
  return (requests) => carryOut(requests, parts);
}

type InTransaction = (requests: readonly Request[]) => readonly Done[];

/**
 * The log is flushed before the tables are committed, and its record is the commit: tables that are cut short catch up
 * from it when they are opened. So a transaction costs one flush, and none when it adds nothing to the log.
 */
function createTransactions(database: DatabaseSync, tables: Tables, path: string): InTransaction {
  const { apply, outbox, positions, counters, knowledge, journal } = tables;
  const putLogEnd = createPutLogEnd(database);
  return (requests) => {
    database.exec("BEGIN IMMEDIATE");
    try {
      const done = requests.map(apply);
      counters.flush();
      knowledge.flush();
      putLogEnd(outbox.end);
      outbox.flush();
      database.exec("COMMIT");
      outbox.settled();
      positions.settled();
      journal.settled(requests[0]?.now ?? 0);
      if (requests.some(({ kind }) => kind === "settle")) sweep(database, tables);
      return done;
    } catch (thrown) {
      if (database.isTransaction) database.exec("ROLLBACK");
      journal.takeBack();
      if (isFlushFailure(thrown)) throw thrown;
      outbox.takeBack();
      // What a full disk refuses are commits, again and again: those must not cost a look at the whole outbox.
      positions.takeBack({ onlyAppended: requests.every(({ kind }) => kind === "commit") });
      counters.load();
      knowledge.takeBack();
      throw asLedgerError(thrown, path);
    }
  };
}

/** The tables must be on disk before what they say is needed no more is gone. On a full disk it waits. */
function sweep(database: DatabaseSync, { outbox, released }: Pick<Tables, "outbox" | "released">): void {
  try {
    outbox.sweep((unneeded) => {
      released.add(unneeded);
      database.exec("PRAGMA wal_checkpoint(FULL)");
    });
  } catch (thrown) {
    if (isFlushFailure(thrown)) throw thrown;
  }
}

interface CarryOut {
  readonly apply: (request: Request) => Done;
  readonly inTransaction: InTransaction;
  readonly makeRoom: () => void;
  readonly path: string;
}

function carryOut(requests: readonly Request[], { apply, inTransaction, makeRoom, path }: CarryOut): readonly Reply[] {
  const replies: Reply[] = [];
  const write = (writes: readonly Request[]) => {
    for (const [index, { gives, afterwards }] of inTransaction(writes).entries()) {
      afterwards?.();
      replies.push({ id: writes[index]?.id ?? -1, ok: true, gives });
    }
  };
  const orRefuse = (request: Request, action: () => void) => {
    try {
      action();
    } catch (thrown) {
      if (isFlushFailure(thrown)) throw thrown;
      replies.push({ id: request.id, ok: false, failure: failureOf(thrown, path) });
    }
  };

  const writes = requests.filter(({ kind }) => WRITES.has(kind));
  try {
    if (writes.length > 0) write(writes);
  } catch (thrown) {
    if (!(thrown instanceof PrickleError)) throw thrown;
    makeRoom();
    for (const request of writes) orRefuse(request, () => write([request]));
  }
  for (const request of requests) {
    if (WRITES.has(request.kind)) continue;
    orRefuse(request, () => void replies.push({ id: request.id, ok: true, gives: apply(request).gives }));
  }
  return replies;
}

/** Moves what the write-ahead log holds into the file, so that its space can be written again on a full disk. */
function makeRoom(database: DatabaseSync): void {
  try {
    database.exec("PRAGMA wal_checkpoint(RESTART)");
  } catch {
    // Then there is no room to be made; each request finds out for itself.
  }
}
