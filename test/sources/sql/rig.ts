/** Rows of a table of accounts in front of a database of the tests. */

import type { RowSource } from "../../../src/core/row-source.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { createSqlRows, type SqlOptions } from "../../../src/sources/sql/rows.ts";
import { createOpenedRows } from "../opened-rows.ts";
import type { TestDatabase } from "./database.ts";

export interface SqlRig {
  now(): number;
  advance(ms: number): Promise<void>;
  put(id: number, name: string, more?: { readonly deleted?: boolean }): Promise<void>;
  remove(id: number): Promise<void>;
  open(options?: Partial<SqlOptions>): RowSource;
  close(): Promise<void>;
}

export const QUERY = "SELECT id, name, updated_at, deleted\nFROM accounts -- all of them";
const START = Date.UTC(2026, 10, 1);

export async function prepareAccounts(database: TestDatabase): Promise<SqlRig> {
  let now = START;
  const opened = createOpenedRows();
  await database.run("DROP TABLE IF EXISTS fake.accounts CASCADE");
  await database.run(`CREATE TABLE fake.accounts (
    id bigint PRIMARY KEY, name text, updated_at timestamptz(6), deleted boolean NOT NULL DEFAULT false
  )`);
  await database.setClock(now);
  const stamp = () => new Date(now).toISOString();
  return {
    now: () => now,
    advance(ms) {
      now += ms;
      return database.setClock(now);
    },
    put: (id, name, { deleted = false } = {}) =>
      database.run(
        `INSERT INTO fake.accounts VALUES ($1::text::bigint, $2::text, $3::text::timestamptz, $4::text::boolean)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, updated_at = excluded.updated_at, deleted = excluded.deleted`,
        [String(id), name, stamp(), String(deleted)],
      ),
    remove: (id) => database.run("DELETE FROM fake.accounts WHERE id = $1::text::bigint", [String(id)]),
    open(options = {}) {
      const rows = createSqlRows({
        url: database.url,
        query: QUERY,
        idColumn: "id",
        updatedAtColumn: "updated_at",
        deletedColumn: "deleted",
        rowsAtOnce: 3,
        overlapMs: 600_000,
        statementTimeoutMs: 10_000,
        clock: systemClock,
        random: () => 0,
        ...options,
      });
      return opened.keep(rows);
    },
    close: opened.close,
  };
}
