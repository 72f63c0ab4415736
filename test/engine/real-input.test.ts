import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect, it, onTestFinished } from "vitest";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { appendMessages, eventMessage, identifyMessage } from "./messages.ts";
import { openTemporary, temporaryFile } from "./temporary.ts";

/** 50,680 Segment calls made of the commit histories of 24 open-source projects. Lies beside the repository, not in it. */
const FILE = new URL("../../../shared/data/git-history.segment.jsonl.gz", import.meta.url).pathname;
const BATCH = 5_000;

it.skipIf(!existsSync(FILE))(
  "says of a real history what plain SQL over its file says, also when all of it comes twice",
  async () => {
    const engine = await openTemporary({ path: temporaryFile() });
    const messages = readCalls().map(toMessage);
    const ask = async () => ({
      company: await allGroups("company"),
      project: await allGroups("project"),
      trends: await engine.trends({
        groupType: "project",
        event: "Commit Pushed",
        interval: "month",
        from: null,
        to: null,
        breakdown: null,
      }),
    });
    const allGroups = async (groupType: string) =>
      (await engine.groups({ groupType, limit: 10_000, offset: 0 })).groups.map(({ groupKey, name, properties }) => ({
        groupKey,
        name,
        properties,
      }));

    for (let from = 0; from < messages.length; from += BATCH) {
      await appendMessages(engine, messages.slice(from, from + BATCH));
    }
    const once = await ask();
    // Other batches than the first time.
    for (let from = 0; from < messages.length; from += 7_777) {
      await appendMessages(engine, messages.slice(from, from + 7_777));
    }
    expect(await ask()).toEqual(once);

    expect(once.company).toEqual(await groupsBySql("(traits ->> '$.groupType') IS NULL"));
    expect(once.project).toEqual(await groupsBySql("(traits ->> '$.groupType') = 'project'"));
    const [series] = once.trends.series;
    const months = await rowsBySql(`
      SELECT strftime(date_trunc('month', "timestamp"::TIMESTAMP), '%Y-%m-%d'), count(DISTINCT properties ->> '$.repository')::INTEGER
      FROM calls WHERE type = 'track' AND event = 'Commit Pushed' GROUP BY 1 ORDER BY 1`);
    expect(months.length).toBeGreaterThan(100);
    const active = series?.points.filter(({ uniqueGroups }) => uniqueGroups > 0);
    expect(active?.map(({ start, uniqueGroups }) => [start, uniqueGroups])).toEqual(months);
    expect([[series?.total]]).toEqual(
      await rowsBySql(
        "SELECT count(DISTINCT properties ->> '$.repository')::INTEGER FROM calls WHERE event = 'Commit Pushed'",
      ),
    );
  },
);

function readCalls(): readonly JsonObject[] {
  const lines = gunzipSync(readFileSync(FILE)).toString().trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as JsonObject);
}

/** Stands in for the mapping: a repository is the project of a commit. */
function toMessage(call: JsonObject): JsonObject {
  const seed = String(call.messageId);
  const timestamp = String(call.timestamp);
  if (call.type === "group") {
    const traits = isJsonObject(call.traits) ? call.traits : {};
    const groupType = String(traits.groupType ?? "company");
    return identifyMessage({ seed, groupType, groupKey: String(call.groupId), timestamp, set: traits });
  }
  const properties = isJsonObject(call.properties) ? call.properties : {};
  const groups = { project: String(properties.repository) };
  return eventMessage({ seed, event: String(call.event), timestamp, groups, properties });
}

/** Every group with the last value of each of its traits. */
async function groupsBySql(condition: string): Promise<readonly unknown[]> {
  const rows = await rowsBySql(`
    WITH traits AS (
      SELECT groupId, line, unnest(json_keys(traits)) AS property, traits FROM calls WHERE type = 'group' AND ${condition}),
    last AS (
      SELECT groupId, property, arg_max(json_extract(traits, '$."' || property || '"'), line) AS value FROM traits GROUP BY ALL)
    SELECT groupId, json_group_object(property, value)::VARCHAR FROM last GROUP BY groupId
    ORDER BY max((value ->> '$')) FILTER (property = 'name'), groupId`);
  return rows.map(([groupKey, json]) => {
    const properties = JSON.parse(String(json)) as JsonObject;
    return { groupKey, name: properties.name, properties };
  });
}

/** Of the file itself, read by DuckDB. */
async function rowsBySql(sql: string): Promise<readonly (readonly unknown[])[]> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  onTestFinished(() => instance.closeSync());
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const columns = `{type: 'VARCHAR', groupId: 'VARCHAR', event: 'VARCHAR', traits: 'JSON', properties: 'JSON', "timestamp": 'VARCHAR'}`;
  await connection.run(
    `CREATE TABLE calls AS SELECT *, row_number() OVER () AS line FROM read_json($file, format = 'newline_delimited', columns = ${columns})`,
    { file: FILE },
  );
  const rows = (await connection.runAndReadAll(sql)).getRowsJS();
  connection.closeSync();
  return rows;
}
