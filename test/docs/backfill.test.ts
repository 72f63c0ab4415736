/** The commands docs/backfill.md shows do what it says. */

import { createWriteStream, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, it, onTestFinished } from "vitest";
import yazl from "yazl";
import { backfillCommand } from "../../src/cli/backfill.ts";
import type { BackfillSummary } from "../../src/core/operations.ts";
import { ROW_FORMS } from "../../src/sources/file/row-names.ts";
import { createWorkplace, MANY_PROCESSES, type Workplace } from "../e2e/prickle-process.ts";

const text = readFileSync(new URL("../../docs/backfill.md", import.meta.url), "utf8");
const commands = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = ""]) => block.trim().split("\n"));

const COMPANIES = '"Record ID","Company name","Last Modified Date"\n"11","Acme","2026-01-01 10:00"\n';

async function openWorkplace(): Promise<Workplace> {
  const workplace = await createWorkplace({
    sources: { segment: { type: "segment" } },
    destinations: { engine: { type: "engine" } },
  });
  onTestFinished(() => workplace.remove());
  const at = (...names: readonly string[]) => join(workplace.directory, ...names);
  await mkdir(at("segment-logs", "src", "1761955200000"), { recursive: true });
  await mkdir(at("mappings"));
  const call = { type: "group", userId: "u", groupId: "acme", messageId: "m", timestamp: "2025-11-01T09:00:00Z" };
  await writeFile(at("segment-logs", "src", "1761955200000", "a.gz"), gzipSync(JSON.stringify(call)));
  await writeFile(at("companies.csv"), COMPANIES);
  await writeFile(
    at("accounts.csv"),
    "ID,NAME,SYSTEMMODSTAMP,EXTERNAL_ID__C\n001A00000012345,Acme,2026-01-01T00:00:00Z,acme\n",
  );
  await writeFile(at("accounts.tsv"), "Customer No\tChanged on\n7\t2026-01-01 10:00\n");
  const zip = new yazl.ZipFile();
  zip.addBuffer(Buffer.from(COMPANIES), "part-1.csv");
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(at("all-companies.zip")));
  const columnData = ["user", "amount", "company"].map((name) => ({
    name,
    data: [`${name}-1`],
    type: "STRING" as const,
  }));
  await writeFile(at("orders.parquet"), new Uint8Array(parquetWriteBuffer({ columnData })));
  await writeFile(at("mappings", "orders.yaml"), /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? "");
  const rows =
    'groupTypes: [company]\nrules: [{ name: all, groupIdentify: { groupType: company, groupKey: { "@path": "$.Customer No" }, properties: { a: 1 } } }]\n';
  await writeFile(at("mappings", "accounts.yaml"), rows);
  return workplace;
}

/** As a shell does with quotes. */
function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "").slice(1);
}

it("shows commands that read what they name", MANY_PROCESSES, async () => {
  const workplace = await openWorkplace();
  expect(commands.length).toBeGreaterThan(6);
  for (const command of commands) {
    const summary = await workplace.ask<BackfillSummary>(...wordsOf(command));
    expect([command, summary]).toMatchObject([command, { complete: true, rejected: 0, records: 1 }]);
  }
  const said = await workplace.run("backfill", "all-companies.zip", "--mapping", "hubspot", "--zone", "Europe/Berlin")
    .ended;
  const [shown = ""] = /all-companies\.zip\/part-1\.csv is read as .*/.exec(text) ?? [];
  expect(said.stderr).toContain(shown);
});

it("names every option of the command, and every form of rows", () => {
  const options = backfillCommand().options.map(({ long }) => long ?? "");
  for (const option of options) expect(text).toContain(option);
  for (const form of ROW_FORMS) expect(text).toContain(`| \`${form}\` |`);
});
