/** The tables, and how the file is opened: exclusively, never one of a newer prickle. */

import { DatabaseSync } from "node:sqlite";
import { PrickleError } from "../../core/errors.ts";
import { asLedgerError } from "./failures.ts";
import { ROWS } from "./rows.ts";
import { RUNS } from "./runs.ts";

/** 4: messages lie in historical lanes too, which an earlier prickle does not know; rows and runs of sources. */
const SCHEMA_VERSION = 4;
/** Kept the messages that wait in a table of its own, instead of the log. */
const WITHOUT_LOG = 1;
export const FILE_NAME = "ledger.sqlite";

const KNOWN_GROUPS = `
  CREATE TABLE IF NOT EXISTS known_groups (
    group_type TEXT NOT NULL,
    group_key TEXT NOT NULL,
    properties TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    PRIMARY KEY (group_type, group_key)
  ) WITHOUT ROWID;
`;

/** What is known of people, groups and keys: core/attribution/knowledge.ts. */
const KNOWLEDGE = `
  CREATE TABLE IF NOT EXISTS memberships (
    id TEXT NOT NULL,
    group_type TEXT NOT NULL,
    at INTEGER NOT NULL,
    joins INTEGER NOT NULL,
    group_key TEXT NOT NULL,
    PRIMARY KEY (id, group_type, at, joins, group_key)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS members (
    group_type TEXT NOT NULL,
    group_key TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (group_type, group_key, id)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS own_members (id TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS owners (
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (id, at, owner)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS owned (owner TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (owner, id)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS group_states (
    group_type TEXT NOT NULL,
    group_key TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (group_type, group_key)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS group_states_by_key ON group_states (group_key);
  CREATE TABLE IF NOT EXISTS aliases (
    group_type TEXT NOT NULL,
    alias TEXT NOT NULL,
    group_key TEXT NOT NULL,
    source TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (group_type, alias)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS aliases_by_group ON aliases (group_type, group_key);
  CREATE TABLE IF NOT EXISTS collisions (
    group_type TEXT NOT NULL,
    alias TEXT NOT NULL,
    group_key TEXT NOT NULL,
    other_key TEXT NOT NULL,
    source TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (group_type, alias, group_key, other_key)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS parked (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    identify TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS parked_aliases (
    group_type TEXT NOT NULL,
    alias TEXT NOT NULL,
    uuid TEXT NOT NULL,
    PRIMARY KEY (group_type, alias, uuid)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS passages (
    destination TEXT NOT NULL,
    lane INTEGER NOT NULL,
    next_seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (destination, lane, next_seq)
  ) WITHOUT ROWID;
`;

const DEAD_LETTERS_BY_UUID = "CREATE INDEX IF NOT EXISTS dead_letters_by_uuid ON dead_letters (uuid);";

const TABLES = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE positions (
    destination TEXT NOT NULL,
    lane INTEGER NOT NULL,
    next_seq INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    last_failure TEXT,
    ahead TEXT,
    PRIMARY KEY (destination, lane)
  ) WITHOUT ROWID;
  CREATE TABLE seen (id BLOB PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE checkpoints (name TEXT PRIMARY KEY, cursor TEXT NOT NULL) WITHOUT ROWID;
  ${KNOWN_GROUPS}
  ${KNOWLEDGE}
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE rejections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    record_id TEXT,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    payload TEXT NOT NULL,
    UNIQUE (source, record_id, reason)
  );
  CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination TEXT NOT NULL,
    uuid TEXT NOT NULL,
    lane INTEGER NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    first_attempt_at INTEGER NOT NULL,
    died_at INTEGER NOT NULL,
    body BLOB NOT NULL
  );
  CREATE INDEX dead_letters_by_destination ON dead_letters (destination, id);
`;

/** @throws LEDGER_LOCKED, LEDGER_TOO_NEW, LEDGER_FULL, LEDGER_UNAVAILABLE */
export function openDatabase(path: string, lanes: number): DatabaseSync {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    // What must not be lost is in the log, flushed; the tables follow it, and are flushed now and then.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    // Takes the lock now, so that a second process is refused at once.
    database.exec("BEGIN IMMEDIATE");
    prepareSchema(database, path, lanes);
    database.exec("COMMIT");
    return database;
  } catch (thrown) {
    database?.close();
    throw asLedgerError(thrown, path);
  }
}

function prepareSchema(database: DatabaseSync, path: string, lanes: number): void {
  const version = versionOf(database);
  if (version > SCHEMA_VERSION) {
    throw new PrickleError(
      "LEDGER_TOO_NEW",
      `${path} has version ${version}; this prickle reads versions up to ${SCHEMA_VERSION}`,
      { hint: "Run the prickle that wrote it, or a newer one." },
    );
  }
  if (version === WITHOUT_LOG || version === SCHEMA_VERSION) return;
  if (version === 0) {
    database.exec(TABLES);
    database.prepare("INSERT INTO meta (name, value) VALUES ('lanes', ?), ('log_end', 0)").run(lanes);
  }
  markCurrent(database);
}

/** True for one of an earlier prickle, until `markCurrent`. */
export function isWithoutLog(database: DatabaseSync): boolean {
  return versionOf(database) === WITHOUT_LOG;
}

export function markCurrent(database: DatabaseSync): void {
  database.exec(KNOWN_GROUPS + KNOWLEDGE + ROWS + RUNS + DEAD_LETTERS_BY_UUID);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.user_version ?? 0);
}

/** As far as this the tables know what is in the log. */
export function logEndOf(database: DatabaseSync): number {
  return Number(database.prepare("SELECT value FROM meta WHERE name = 'log_end'").get()?.value ?? 0);
}

export function createPutLogEnd(database: DatabaseSync): (end: number) => void {
  const put = database.prepare(
    "INSERT INTO meta (name, value) VALUES ('log_end', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
  );
  return (end) => void put.run(end);
}

/** Of each service. */
export function lanesOf(database: DatabaseSync): number {
  return Number(database.prepare("SELECT value FROM meta WHERE name = 'lanes'").get()?.value);
}

export function sizeBytesOf(database: DatabaseSync): number {
  const pages = Number(database.prepare("PRAGMA page_count").get()?.page_count);
  return pages * Number(database.prepare("PRAGMA page_size").get()?.page_size);
}
