/** The DuckDB database of the engine: its settings, its tables, its transactions. */

import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { PrickleError } from "../core/errors.ts";
import { openFailure } from "./failures.ts";
import type { StoreOptions } from "./protocol.ts";

const SCHEMA_VERSION = 1;

/**
 * Events have no key, since DuckDB keeps an index in memory as a whole. `group_0` … `group_4` hold group keys by group
 * index. A group's `name` is what lists sort and search by.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS engine_schema (version INTEGER NOT NULL);
  INSERT INTO engine_schema SELECT ${SCHEMA_VERSION} WHERE NOT EXISTS (FROM engine_schema);
  CREATE TABLE IF NOT EXISTS events (
    uuid UUID NOT NULL, event VARCHAR NOT NULL, distinct_id VARCHAR NOT NULL, occurred_at TIMESTAMP NOT NULL,
    properties VARCHAR NOT NULL, group_0 VARCHAR, group_1 VARCHAR, group_2 VARCHAR, group_3 VARCHAR, group_4 VARCHAR);
  CREATE TABLE IF NOT EXISTS group_types (group_index INTEGER NOT NULL, group_type VARCHAR NOT NULL);
  CREATE TABLE IF NOT EXISTS groups (
    group_index INTEGER NOT NULL, group_key VARCHAR NOT NULL, name VARCHAR NOT NULL, properties VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL);`;

/** Of this connection only, and never on disk: what a batch touches. */
const SCRATCH = `
  CREATE TEMP TABLE touched_groups (group_index INTEGER, group_key VARCHAR);
  CREATE TEMP TABLE changed_groups (group_index INTEGER, group_key VARCHAR, name VARCHAR, properties VARCHAR, updated_at TIMESTAMP);`;

/** Rows that are compressed together, a sixth of the default: as many are held in memory for it, and skipped by time when a query is narrow. */
const ROW_GROUP_SIZE = 20_480;

/** From now on nothing is loaded, fetched or read but the engine's own file. */
const LOCKDOWN = `
  SET TimeZone = 'UTC';
  SET preserve_insertion_order = false;
  SET enable_external_access = false;
  SET lock_configuration = true;`;

export interface Database {
  readonly connection: DuckDBConnection;
  /** Writes the log into the file, if it can, and lets go of the file. */
  close(): Promise<void>;
}

/** @throws ENGINE_UNAVAILABLE or INPUT_INVALID, naming the file. */
export async function openDatabase(options: StoreOptions): Promise<Database> {
  let instance: DuckDBInstance | undefined;
  try {
    instance = await DuckDBInstance.create(":memory:", settings(options));
    const connection = await instance.connect();
    await connection.run(attach(options.path));
    await prepare(connection, options.path);
    return { connection, close: () => close(instance, connection) };
  } catch (thrown) {
    instance?.closeSync();
    throw thrown instanceof PrickleError ? thrown : openFailure(thrown, options.path);
  }
}

/** All of `work` or nothing. */
export async function inTransaction<T>(connection: DuckDBConnection, work: () => Promise<T>): Promise<T> {
  await connection.run("BEGIN TRANSACTION");
  try {
    const result = await work();
    await connection.run("COMMIT");
    return result;
  } catch (thrown) {
    // Fails when DuckDB has already rolled back, which is as good.
    await connection.run("ROLLBACK").catch(() => undefined);
    throw thrown;
  }
}

function settings({ path, memoryLimitMb }: StoreOptions): Record<string, string> {
  return {
    memory_limit: `${memoryLimitMb}MB`,
    // One core for the engine, one for whoever calls it.
    threads: "1",
    // The log is written into the file whenever it has grown this large.
    checkpoint_threshold: "32MB",
    temp_directory: path === ":memory:" ? "" : `${path}.tmp`,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  };
}

/** The only way to choose the size of row groups; ATTACH takes no parameters. */
function attach(path: string): string {
  return `ATTACH '${path.replaceAll("'", "''")}' AS engine (ROW_GROUP_SIZE ${ROW_GROUP_SIZE}); USE engine`;
}

async function prepare(connection: DuckDBConnection, path: string): Promise<void> {
  await connection.run(LOCKDOWN);
  await inTransaction(connection, async () => {
    await connection.run(SCHEMA);
  });
  await connection.run(SCRATCH);
  const [[version] = []] = (await connection.runAndReadAll("SELECT max(version) FROM engine_schema")).getRowsJson();
  if (Number(version) <= SCHEMA_VERSION) return;
  throw new PrickleError(
    "INPUT_INVALID",
    `${path}: written by a newer prickle (schema ${version}; this one knows ${SCHEMA_VERSION})`,
    {
      hint: "Update prickle, or move the file away: the engine makes a new one, which a backfill fills again.",
    },
  );
}

async function close(instance: DuckDBInstance | undefined, connection: DuckDBConnection): Promise<void> {
  // What cannot be written into the file now stays in its log, and is read from there at the next start.
  await connection.run("CHECKPOINT").catch(() => undefined);
  connection.closeSync();
  instance?.closeSync();
}
