/** Asks PostgreSQL one statement at a time, each in a transaction that can only read. */

import type { Pool, PoolClient } from "pg";
import type { Clock } from "../../core/clock.ts";
import { PrickleError } from "../../core/errors.ts";
import { backoffMs } from "../../core/retry.ts";
import { errorOf, isPassing } from "./errors.ts";

export interface SqlConnection {
  /** `postgres://user:password@host:5432/database`. */
  readonly url: string;
  readonly statementTimeoutMs: number;
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
}

export interface Statement {
  readonly text: string;
  readonly values: readonly string[];
  /** For messages: the query of the configuration, and the characters of `text` before it. */
  readonly query: string;
  readonly before: number;
}

export interface SqlAnswer {
  /** As text, in the order of `columns`. */
  readonly rows: readonly (readonly (string | null)[])[];
  readonly columns: readonly { readonly name: string; readonly type: number }[];
}

export interface SqlClient {
  /** @throws SOURCE_UNAVAILABLE, SOURCE_REFUSED, SOURCE_CHANGED, STOPPING */
  ask(statement: Statement, signal: AbortSignal): Promise<SqlAnswer>;
  requests(): number;
  close(): Promise<void>;
}

const TRIES = 5;
const CONNECT_TIMEOUT_MS = 15_000;
const asText = { getTypeParser: () => (text: string) => text };

export function createSqlClient({ url, statementTimeoutMs, clock, random }: SqlConnection): SqlClient {
  let pool: Promise<Pool> | null = null;
  let requests = 0;

  const begin =
    `BEGIN READ ONLY; SET LOCAL statement_timeout = ${Math.round(statementTimeoutMs)}; SET LOCAL TimeZone = 'UTC'; ` +
    "SET LOCAL DateStyle = 'ISO'; SET LOCAL extra_float_digits = 1";

  async function attempt({ text, values }: Statement, signal: AbortSignal): Promise<SqlAnswer> {
    pool ??= openPool(url);
    requests += 1;
    const client = await (await pool).connect();
    const stop = () => void endOf(client);
    signal.addEventListener("abort", stop, { once: true });
    let isWhole = false;
    try {
      await client.query(begin);
      const found = await client.query({ text, values: [...values], rowMode: "array", types: asText });
      await client.query("COMMIT");
      isWhole = true;
      const columns = found.fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID }));
      return { rows: found.rows, columns };
    } finally {
      signal.removeEventListener("abort", stop);
      client.release(!isWhole);
    }
  }

  return {
    async ask(statement, signal) {
      for (let failures = 1; ; failures++) {
        if (signal.aborted) throw stopping();
        try {
          return await attempt(statement, signal);
        } catch (thrown) {
          if (signal.aborted) throw stopping();
          if (failures >= TRIES || !isPassing(thrown)) throw errorOf(thrown, statement);
        }
        await clock.sleep(backoffMs(failures, random()), signal);
      }
    },
    requests: () => requests,
    async close() {
      const opened = pool;
      pool = null;
      await (await opened)?.end();
    },
  };
}

/** Loaded when it is needed: few have such a source. */
async function openPool(connectionString: string): Promise<Pool> {
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({
    connectionString,
    max: 1,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "prickle",
  });
  // An idle connection that ends is replaced by the next statement.
  pool.on("error", () => undefined);
  return pool;
}

/** Cuts a statement short that is under way. */
async function endOf(client: PoolClient): Promise<void> {
  await (client as PoolClient & { end?(): Promise<void> }).end?.(); // A client of a pool has it; its type does not say so.
}

function stopping(): PrickleError {
  return new PrickleError("STOPPING", "Stopped while asking PostgreSQL.", { hint: "The next sync goes on from here." });
}
