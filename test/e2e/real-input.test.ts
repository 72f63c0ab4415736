/** A real history through the whole command line: it must say what plain SQL over the file says. */

import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { GroupPage, Trends } from "../../src/core/analytics.ts";
import type { LedgerStatus } from "../../src/core/ledger.ts";
import type { BackfillSummary } from "../../src/core/operations.ts";
import { createWorkplace, MANY_PROCESSES, type Workplace } from "./prickle-process.ts";

/** 50,680 Segment calls made of the commit histories of 24 open-source projects. Lies beside the repository, not in it. */
const FILE = new URL("../../../shared/data/git-history.segment.jsonl.gz", import.meta.url).pathname;

const CALLS = `
  CREATE TABLE calls AS SELECT *, row_number() OVER () AS line
  FROM read_json($file, format = 'newline_delimited', columns = {
    type: 'VARCHAR', userId: 'VARCHAR', groupId: 'VARCHAR', event: 'VARCHAR',
    traits: 'JSON', properties: 'JSON', "timestamp": 'TIMESTAMP'})`;

/** A group has its key and the last value of each of its traits, and is as old as its first call. */
const GROUPS = `
  WITH group_calls AS (
    SELECT *, coalesce(traits ->> 'groupType', 'company') AS groupType FROM calls WHERE type = 'group'),
  latest AS (
    SELECT groupId, t.key AS property, arg_max(t.value, line) AS value
    FROM group_calls, json_each(traits) AS t WHERE groupType = $groupType AND t.key <> 'groupType' GROUP BY ALL)
  SELECT groupId, json_merge_patch(json_group_object(property, value), json_object('group_key', groupId))::VARCHAR,
    (SELECT strftime(min("timestamp"), '%Y-%m-%dT%H:%M:%S.%gZ') FROM group_calls
      WHERE groupType = $groupType AND groupId = latest.groupId)
  FROM latest GROUP BY groupId`;

/** Calls about groups that say something new of theirs: the first of each, and those that change a trait. */
const GROUP_CHANGES = `
  WITH told AS (
    SELECT line, lag(t.value) OVER (
        PARTITION BY coalesce(traits ->> 'groupType', 'company'), groupId, t.key ORDER BY "timestamp", line) AS before, t.value
    FROM calls, json_each(traits) AS t WHERE calls.type = 'group')
  SELECT count(DISTINCT line)::INTEGER FROM told WHERE before IS DISTINCT FROM value`;

const ACTIVE_PROJECTS = `
  SELECT strftime(date_trunc('month', "timestamp"), '%Y-%m-%d'), count(DISTINCT properties ->> 'repository')::INTEGER
  FROM calls WHERE type = 'track' AND event = 'Commit Pushed' GROUP BY ROLLUP (1) ORDER BY 1 NULLS FIRST`;

let workplace: Workplace;
let instance: DuckDBInstance;
let sql: DuckDBConnection;

beforeEach(async () => {
  workplace = await createWorkplace({});
  instance = await DuckDBInstance.create(":memory:");
  sql = await instance.connect();
});
afterEach(async () => {
  sql.closeSync();
  instance.closeSync();
  await workplace.remove();
});

async function rowsOf(query: string, parameters?: Record<string, string>): Promise<readonly (readonly unknown[])[]> {
  return (await sql.runAndReadAll(query, parameters)).getRowsJS();
}

type ComparedGroup = readonly [key: string, properties: unknown, createdAt: string];

function byKey(groups: readonly ComparedGroup[]): readonly ComparedGroup[] {
  return groups.toSorted(([one], [other]) => (one < other ? -1 : 1));
}

async function groupsBySql(groupType: string): Promise<readonly ComparedGroup[]> {
  const rows = await rowsOf(GROUPS, { groupType });
  return byKey(rows.map(([key, properties, createdAt]) => [`${key}`, JSON.parse(`${properties}`), `${createdAt}`]));
}

async function groupsByPrickle(groupType: string): Promise<readonly ComparedGroup[]> {
  const page = await workplace.ask<GroupPage>("groups", groupType, "--limit", "10000");
  expect(page.total).toBe(page.groups.length);
  return byKey(page.groups.map(({ groupKey, properties, createdAt }) => [groupKey, properties, createdAt]));
}

async function activeProjects(): Promise<readonly (readonly unknown[])[]> {
  const words = ["--event", "Commit Pushed", "--group-type", "project", "--interval", "month"];
  const { series } = await workplace.ask<Trends>("trends", ...words);
  expect(series.length).toBe(1);
  const { total = 0, points = [] } = series[0] ?? {};
  const active = points.filter(({ uniqueGroups }) => uniqueGroups > 0);
  return [[null, total], ...active.map(({ start, uniqueGroups }) => [start, uniqueGroups])];
}

async function answers() {
  const { committed, rejected, depth } = await workplace.ask<LedgerStatus>("status");
  const company = await groupsByPrickle("company");
  const project = await groupsByPrickle("project");
  return { committed, rejected, depth, company, project, trends: await activeProjects() };
}

const hasFile = existsSync(FILE);

it.skipIf(!hasFile)(
  `answers of a real history what plain SQL over its file says, also when it is read again${hasFile ? "" : " (the file is not beside the repository)"}`,
  MANY_PROCESSES,
  async () => {
    await sql.run("SET TimeZone = 'UTC'");
    await sql.run(CALLS, { file: FILE });
    const [[calls] = []] = await rowsOf("SELECT count(*)::INTEGER FROM calls");
    const [[groupCalls] = []] = await rowsOf("SELECT count(*)::INTEGER FROM calls WHERE type = 'group'");
    const [[changes] = []] = await rowsOf(GROUP_CHANGES);
    const messages = Number(calls) - Number(groupCalls) + Number(changes);
    const expected = {
      committed: messages,
      rejected: 0,
      depth: 0,
      company: await groupsBySql("company"),
      project: await groupsBySql("project"),
      trends: await rowsOf(ACTIVE_PROJECTS),
    };
    expect(calls).toBeGreaterThan(50_000);
    expect(expected.company.length).toBeGreaterThan(500);
    expect(expected.project.length).toBeGreaterThan(20);
    expect(expected.trends.length).toBeGreaterThan(100);

    const first = await workplace.ask<BackfillSummary>("backfill", FILE);
    expect(first).toMatchObject({ records: calls, messages, duplicates: 0, rejected: 0, complete: true });
    expect(await answers()).toEqual(expected);

    const second = await workplace.ask<BackfillSummary>("backfill", FILE);
    expect(second).toMatchObject({ messages: 0, duplicates: 0, rejected: 0, complete: true });
    // Under another name there is no checkpoint: every call is read, and known again.
    await copyFile(FILE, join(workplace.directory, "copy.jsonl.gz"));
    const copied = await workplace.ask<BackfillSummary>("backfill", "copy.jsonl.gz");
    expect(copied).toMatchObject({ records: calls, messages: 0, duplicates: calls, rejected: 0, complete: true });
    expect(await answers()).toEqual(expected);
  },
);
