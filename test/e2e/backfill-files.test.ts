/** `prickle backfill` with many files, by a mapping without a source, from standard input, and through a running server. */

import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it, onTestFinished } from "vitest";
import { ERRORS } from "../../src/core/errors.ts";
import type { BackfillSummary } from "../../src/core/operations.ts";
import { MANY_PROCESSES } from "./prickle-process.ts";
import { createRig, type Rig } from "./rig.ts";

const HEADER = '"Record ID","Company name","External ID","Create Date","Last Modified Date"';
const COMPANIES = `${HEADER}\n"11","Acme","acme","2025-01-01 10:00","2026-01-01 10:00"\n"12","Umbrella","umbrella","","2026-07-01 10:00"\n`;

async function openRig(): Promise<Rig> {
  const rig = await createRig();
  onTestFinished(() => rig.remove());
  const { directory } = rig.workplace;
  await writeFile(join(directory, "companies.csv"), COMPANIES);
  for (const [day, name, at] of [["1761868800000", "a", 1] as const, ["1761955200000", "b", 2] as const]) {
    await mkdir(join(directory, "segment-logs", "src", day), { recursive: true });
    await writeFile(join(directory, "segment-logs", "src", day, `${name}.gz`), gzipSync(callsOf(at)));
  }
  return rig;
}

/** The first file says whose the user is only after his event; the second has events only. */
function callsOf(day: number): string {
  const timestamp = (hour: number) => `2026-01-0${day}T0${hour}:00:00.000Z`;
  const track = { type: "track", userId: "ada", event: "Opened", messageId: `t${day}`, timestamp: timestamp(5) };
  const group = {
    type: "group",
    userId: "ada",
    groupId: "acme",
    messageId: `g${day}`,
    timestamp: timestamp(1),
    traits: { n: 1 },
  };
  return [track, ...(day === 1 ? [group] : [])].map((call) => `${JSON.stringify(call)}\n`).join("");
}

it("reads a folder of raw logs file by file, adds up, and goes through a server alike", MANY_PROCESSES, async () => {
  const rigs = [await openRig(), await openRig()] as const;
  const served = await rigs[0].workplace.serve();
  const summaries = [];
  for (const { workplace } of rigs) {
    const { files, tookMs: _took, ...sums } = await workplace.ask<BackfillSummary>("backfill", "segment-logs");
    expect(files.map(({ path }) => path.slice(workplace.directory.length + 1))).toEqual([
      "segment-logs/src/1761868800000/a.gz",
      "segment-logs/src/1761955200000/b.gz",
    ]);
    expect(files.map(({ records, messages, attributed }) => ({ records, messages, attributed }))).toEqual([
      { records: 2, messages: 2, attributed: 1 },
      { records: 1, messages: 1, attributed: 1 },
    ]);
    summaries.push(sums);
  }
  expect(summaries[0]).toMatchObject({ records: 3, messages: 3, attributed: 2, complete: true, leftOut: [] });
  expect(summaries[1]).toEqual(summaries[0]);

  // A server reads by its own sources only.
  const refused = await rigs[0].workplace.run("backfill", "companies.csv", "--mapping", "hubspot").ended;
  expect(refused.code).toBe(ERRORS.NOT_FOUND.exitCode);
  expect(refused.stderr).toContain('no source "hubspot"');
  expect(await served.stop()).toBe(0);
});

it(
  "reads an export by a mapping without a source, in the zone said, and again without effect",
  MANY_PROCESSES,
  async () => {
    const { workplace, posthog } = await openRig();
    const words = ["backfill", "companies.csv", "--mapping", "hubspot", "--zone", "Europe/Berlin"];
    expect(await workplace.ask(...words, "--dry-run")).toMatchObject({
      records: 2,
      dryRun: { identifies: { sent: 2 } },
    });
    const shown = await workplace.run(...words).ended;
    expect(shown.stdout).toContain('companies of HubSpot, id from "Record ID", time from "Last Modified Date"');
    expect(shown.stderr).toContain("companies of HubSpot");
    expect(posthog.groups.get("company\0acme")).toMatchObject({
      name: "Acme",
      hubspot_created_at: "2025-01-01T09:00:00.000Z",
    });
    expect(await workplace.ask(...words)).toMatchObject({ records: 2, resumedAt: 2, messages: 0, duplicates: 0 });

    await writeFile(
      join(workplace.directory, "later.csv"),
      COMPANIES.replace('"Umbrella"', '"Umbrella Ltd"').replace("2026-07", "2026-08"),
    );
    const later = ["backfill", "later.csv", ...words.slice(2)];
    expect(await workplace.ask(...later)).toMatchObject({ records: 2, duplicates: 1, messages: 1 });
    await writeFile(join(workplace.directory, "later.csv"), HEADER);
    expect((await workplace.run(...later).ended).code).toBe(ERRORS.INPUT_CHANGED.exitCode);
  },
);

it("takes a mapping by its path, unless a source of the name has another", MANY_PROCESSES, async () => {
  const { workplace } = await openRig();
  const mapping = `groupTypes: [company]\nrules: [{ name: all, event: { name: Seen, distinctId: { "@path": $.Id }, properties: {} } }]\n`;
  await writeFile(join(workplace.directory, "own.yaml"), mapping);
  await writeFile(join(workplace.directory, "segment.yaml"), mapping);
  await writeFile(join(workplace.directory, "rows.tsv"), "Id\tLastModifiedById\n001A00000012345\tx\n");
  const summary = await workplace.ask<BackfillSummary>("backfill", "rows.tsv", "--mapping", "./own.yaml");
  expect(summary).toMatchObject({
    messages: 1,
    files: [{ about: expect.stringContaining("a table with tabs: records of Salesforce") }],
  });
  const refused = await workplace.run("backfill", "rows.tsv", "--mapping", "./segment.yaml").ended;
  expect(refused.code).toBe(ERRORS.USAGE.exitCode);
  expect(refused.stderr).toContain("not by");
  const sixth = mapping.replace("[company]", "[a1, b1, c1, d1, e1]");
  await writeFile(join(workplace.directory, "many.yaml"), sixth);
  const full = await workplace.run("backfill", "rows.tsv", "--mapping", "./many.yaml").ended;
  expect([full.code, full.stderr]).toEqual([ERRORS.CONFIG_INVALID.exitCode, expect.stringContaining("many.yaml")]);
});

it("reads standard input, and the same again goes on where it was", MANY_PROCESSES, async () => {
  const { workplace } = await openRig();
  const read = async (text: string, ...words: readonly string[]) => {
    const { process: child, ended } = workplace.run("backfill", "-", "--mapping", "hubspot", "--json", ...words);
    child.stdin?.end(text);
    const { code, stdout, stderr } = await ended;
    return { code, stderr, ...(JSON.parse(stdout || "{}") as Partial<BackfillSummary>) }; // As the command answers.
  };
  expect(await read(COMPANIES, "--max-events", "1")).toMatchObject({ code: ERRORS.STOPPING.exitCode, messages: 1 });
  expect(await read(COMPANIES)).toMatchObject({ code: 0, resumedAt: 1, messages: 1 });
  expect(await read(COMPANIES)).toMatchObject({ code: 0, resumedAt: 2, messages: 0 });
  const served = await workplace.serve();
  const companies = COMPANIES.replaceAll("Acme", "Acme Inc.");
  const { process: child, ended } = workplace.run("backfill", "-", "--source", "segment", "--json");
  child.stdin?.end(companies);
  expect(JSON.parse((await ended).stdout)).toMatchObject({ records: 2, complete: true });
  expect(await served.stop()).toBe(0);
  expect(await readdir(join(workplace.dataDir, "stdin"))).toEqual([]);
});

it.each([
  [["--rate", "fast"], "--rate"],
  [["--rate", "0/s"], "--rate"],
  [["--from", "yesterday"], "--from"],
  [["--from", "2026-02-01", "--to", "2026-02-01"], "is not before"],
  [["--zone", "Mars"], "zone"],
  [["--source", "segment", "--mapping", "hubspot"], "cannot be used with"],
])("refuses options that make no sense: %j", async (words, message) => {
  const { workplace } = await openRig();
  const { code, stderr } = await workplace.run("backfill", "companies.csv", ...words).ended;
  expect([code, stderr]).toEqual([ERRORS.USAGE.exitCode, expect.stringContaining(message)]);
});
