/** Every event of a real history gets the company that plain SQL over its file says it should, in whatever order the file is. */

import { existsSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { GroupPage } from "../../src/core/analytics.ts";
import type { BackfillSummary } from "../../src/core/operations.ts";
import { createWorkplace, MANY_PROCESSES, type Workplace } from "./prickle-process.ts";
import { createChance } from "./seeded.ts";

const FILE = new URL("../../../shared/data/git-history.segment.jsonl.gz", import.meta.url).pathname;
const SEED = 20_261_124;

/** Of the group calls of the person up to the call, the company of the last; of two at one time the greater. */
const COMPANIES_BY_SQL = `
  WITH calls AS (
    SELECT *, row_number() OVER () AS line FROM read_json($file, format = 'newline_delimited', columns = {
      type: 'VARCHAR', userId: 'VARCHAR', groupId: 'VARCHAR', event: 'VARCHAR',
      traits: 'JSON', properties: 'JSON', "timestamp": 'TIMESTAMP'})),
  joined AS (
    SELECT userId, "timestamp" AS at, groupId FROM calls
    WHERE type = 'group' AND coalesce(traits ->> 'groupType', 'company') = 'company'),
  told AS (
    SELECT line, max({'at': joined.at, 'key': joined.groupId}).key AS company
    FROM calls JOIN joined ON joined.userId = calls.userId AND joined.at <= calls."timestamp"
    WHERE calls.type = 'track' GROUP BY line)
  SELECT userId, epoch_ms("timestamp")::BIGINT, event, properties ->> 'repository' AS project, company, count(*)::INTEGER
  FROM calls LEFT JOIN told USING (line) WHERE type = 'track' GROUP BY ALL ORDER BY ALL`;

const COMPANIES_BY_PRICKLE = `
  SELECT distinct_id, epoch_ms(occurred_at)::BIGINT, event, json_extract_string(properties, '$."$groups"."project"'),
    json_extract_string(properties, '$."$groups"."company"'), count(*)::INTEGER
  FROM engine.events WHERE event <> '$groupidentify' GROUP BY ALL ORDER BY ALL`;

let workplaces: Workplace[];
let instance: DuckDBInstance;
let sql: DuckDBConnection;

beforeEach(async () => {
  workplaces = [];
  instance = await DuckDBInstance.create(":memory:");
  sql = await instance.connect();
  await sql.run("SET TimeZone = 'UTC'");
});
afterEach(async () => {
  sql.closeSync();
  instance.closeSync();
  for (const workplace of workplaces) await workplace.remove();
});

/** Reads the file somewhere new; gives what became of it. */
async function backfilled(file: string, ...words: readonly string[]) {
  const workplace = await createWorkplace({});
  workplaces.push(workplace);
  const summary = await workplace.ask<BackfillSummary>("backfill", file, ...words);
  const groups = async (groupType: string) => {
    const page = await workplace.ask<GroupPage>("groups", groupType, "--limit", "10000");
    return new Map(page.groups.map(({ groupKey, properties }) => [groupKey, properties]));
  };
  const copy = join(workplace.directory, "engine.duckdb");
  await copyFile(join(workplace.dataDir, "engine.duckdb"), copy); // DuckDB does not find files through /proc.
  await sql.run(`ATTACH '${copy}' AS engine (READ_ONLY)`);
  const companies = (await sql.runAndReadAll(COMPANIES_BY_PRICKLE)).getRowsJS();
  await sql.run("DETACH engine");
  return { summary, companies, company: await groups("company"), project: await groups("project") };
}

async function shuffled(file: string): Promise<string> {
  const lines = gunzipSync(await readFile(file))
    .toString()
    .trimEnd()
    .split("\n");
  const chance = createChance(SEED);
  const order = lines.map((line) => ({ line, at: chance.next() })).sort((one, other) => one.at - other.at);
  const workplace = await createWorkplace({});
  workplaces.push(workplace);
  const path = join(workplace.directory, "shuffled.jsonl.gz");
  await writeFile(path, gzipSync(order.map(({ line }) => `${line}\n`).join("")));
  return path;
}

const hasFile = existsSync(FILE);
const why = hasFile ? "" : " (the file is not beside the repository)";

it.skipIf(!hasFile)(`gives every event its company as SQL does, in any order${why}`, MANY_PROCESSES, async () => {
  const expected = (await sql.runAndReadAll(COMPANIES_BY_SQL, { file: FILE })).getRowsJS();
  const inOrder = await backfilled(FILE);
  expect(expected.length).toBeGreaterThan(40_000);
  expect(expected.filter(([, , , , company]) => company !== null).length).toBeGreaterThan(40_000);
  expect(inOrder.companies).toEqual(expected);

  const onePass = await backfilled(FILE, "--in-order");
  expect(onePass).toEqual({ ...inOrder, summary: { ...inOrder.summary, tookMs: onePass.summary.tookMs } });

  const anyOrder = await backfilled(await shuffled(FILE));
  expect(anyOrder.companies).toEqual(expected);
  expect(anyOrder.company).toEqual(inOrder.company);
  expect(anyOrder.project).toEqual(inOrder.project);
});
