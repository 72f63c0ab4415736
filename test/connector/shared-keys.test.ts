import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parseConfig } from "../../src/config.ts";
import { openConnector } from "../../src/connector.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-shared-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it("warns once of a key that two group types have, with the types", async () => {
  const warnings: object[] = [];
  const silent = () => undefined;
  const logger = { debug: silent, info: silent, error: silent, warn: (fields: object) => warnings.push(fields) };
  const path = join(directory, "calls.jsonl");
  const groups = [{}, { groupType: "project" }, { groupType: "project", name: "Again" }];
  const calls = groups.map((traits, n) => ({
    type: "group",
    userId: "ada",
    messageId: `${n}`,
    groupId: "acme",
    traits,
  }));
  await writeFile(path, calls.map((call) => `${JSON.stringify(call)}\n`).join(""));
  const connector = await openConnector(parseConfig({ dataDir: directory }, { cwd: directory }), { logger });
  const request = { paths: [path], source: "segment", waitForDelivery: false };
  await connector.operations.backfill(request, () => undefined, new AbortController().signal);
  await connector.close();
  expect(warnings).toEqual([{ groupType: "project", groupKey: "acme", otherType: "company" }]);
});
