/** Looks into the engine's file of a data directory that nobody holds. */

import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

export interface EngineContent {
  readonly events: number;
  readonly uuids: number;
  /** The same for the same events, in whatever order they lie. */
  readonly digest: string;
}

const SUMMARY = `
  SELECT count(*)::INTEGER AS events, count(DISTINCT uuid)::INTEGER AS uuids,
    bit_xor(hash(uuid, event, distinct_id, occurred_at, properties))::VARCHAR AS digest
  FROM events`;

export async function readEngineFile(dataDir: string): Promise<EngineContent> {
  const directory = await mkdtemp(join(tmpdir(), "prickle-engine-"));
  const copy = join(directory, "engine.duckdb");
  await copyFile(join(dataDir, "engine.duckdb"), copy); // DuckDB does not find files through /proc.
  const instance = await DuckDBInstance.create(copy, { access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  const [[events, uuids, digest] = []] = (await connection.runAndReadAll(SUMMARY)).getRowsJS();
  connection.closeSync();
  instance.closeSync();
  await rm(directory, { recursive: true });
  return { events: Number(events), uuids: Number(uuids), digest: String(digest) };
}
