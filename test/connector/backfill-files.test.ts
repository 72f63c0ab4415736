/** What the files of a backfill are read as: found, told, and said otherwise by whoever asks. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BackfillRequest } from "../../src/core/operations.ts";
import { RECEIVED_AT, readFiles } from "./read-files.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-backfill-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function read(bytes: string | Uint8Array, asked: Partial<BackfillRequest> = {}, perPage?: number) {
  const path = join(directory, "export.csv");
  await writeFile(path, bytes);
  const { files, ...all } = await readFiles({ paths: [path], ...asked }, perPage);
  return { ...all, path, about: files[0]?.about, files };
}

const HUBSPOT =
  '"Record ID","Company name","Last Modified Date"\n"11","Acme","2026-01-01 10:00"\n"12","Umbrella","2026-07-01 10:00"\n';

describe("what a file is read as", () => {
  it.each<[string, string, string]>([
    [
      "an export of HubSpot",
      HUBSPOT,
      'a table with commas: companies of HubSpot, id from "Record ID", time from "Last Modified Date", times without zone in UTC',
    ],
    [
      "an export of Salesforce",
      "ID\tNAME\tSYSTEMMODSTAMP\n001A00000012345\tAcme\t2026-01-01T00:00:00Z\n",
      'a table with tabs: records of Salesforce, id from "ID", time from "SYSTEMMODSTAMP", times without zone in UTC',
    ],
    [
      "a table without id and time",
      "name;plan\nAcme;free\n",
      "a table with semicolons: rows as they stand, known by their content, no column tells their time, so it is that of this run, times without zone in UTC",
    ],
    ["calls", '{"type":"identify","userId":"u"}\n', "JSON lines: Segment calls"],
    ["a broken line before calls", '{"type":\n{"type":"identify","userId":"u"}\n', "JSON lines: Segment calls"],
    ["nothing", "\n", "JSON lines: Segment calls"],
    [
      "companies from HubSpot's API",
      '{"id":"1","properties":{"name":"Acme"},"updatedAt":"2026-01-01T00:00:00Z"}\n',
      'JSON lines: companies of HubSpot, id from "id", time from "updatedAt", times without zone in UTC',
    ],
    [
      "objects of any kind",
      '{"id":1,"plan":"free","updated_at":1767225600000}\n',
      'JSON lines: rows as they stand, id from "id", time from "updated_at", times without zone in UTC',
    ],
  ])("is told of %s", async (_, text, about) => {
    const found = await read(text);
    expect(found.about).toBe(about);
  });

  it("is what somebody says", async () => {
    const text = "Datensatz-ID,Name,Stand,id\n7,Acme,2026-01-01 10:00,x\n";
    const asked = { form: "hubspot", idColumn: "datensatz-id", timeColumn: "Stand", zone: "Europe/Berlin" };
    const { records, about } = await read(text, asked);
    expect(about).toContain('id from "Datensatz-ID", time from "Stand", times without zone in Europe/Berlin');
    expect(records).toMatchObject([
      { id: expect.stringMatching(/^7:/), occurredAt: Date.parse("2026-01-01T09:00:00Z"), payload: { properties: {} } },
    ]);
    expect((await read(HUBSPOT, { form: "rows" })).records[0]?.payload).toMatchObject({ "Company name": "Acme" });
    expect((await read("a;b\n1;\xe4\n", { encoding: "UTF-8" })).records[0]?.payload).toEqual({ a: "1", b: "ä" });
  });

  it.each<[string, Partial<BackfillRequest>, RegExp]>([
    ["a form", { form: "pipedrive" }, /--as: found "pipedrive"; segment, hubspot, salesforce, rows are allowed/],
    ["an encoding", { encoding: "ebcdic" }, /--encoding: found "ebcdic"; utf-8, utf-16le/],
    ["a zone", { zone: "Mars/Base" }, /found the zone "Mars\/Base"/],
    [
      "a column",
      { idColumn: "Nr" },
      /export.csv: found no column "Nr"; there are Record ID, Company name, Last Modified Date/,
    ],
  ])("cannot be %s that is none", async (_, asked, message) => {
    await expect(read(HUBSPOT, asked)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringMatching(message),
    });
  });
});

describe("rows of a table", () => {
  it("that are ragged or broken are rejected with file and line, and cost nobody else", async () => {
    const text = 'id,name\n1,"a\nb"\n2\n3,c,d\n"4"x,e\n\n5,f\n6,"open\n7,g\n8\n';
    for (const perPage of [1, 2, 500]) {
      const { path, records, rejections } = await read(text, {}, perPage);
      expect(records.map(({ payload }) => payload)).toEqual([
        { id: "1", name: "a\nb" },
        { id: "5", name: "f" },
        { id: "7", name: "g" },
      ]);
      const found = rejections.map(({ reason, detail }) => [reason, detail]);
      expect(found).toHaveLength(5);
      expect(found).toEqual(
        expect.arrayContaining([
          ["broken_row", `${path}:4: the row has 1 cells; the header names 2 columns.`],
          ["broken_row", `${path}:5: the row has 3 cells; the header names 2 columns.`],
          ["broken_row", `${path}:11: the row has 1 cells; the header names 2 columns.`],
          ["broken_row", expect.stringContaining(`${path}:6: a quote that closes is followed by other text`)],
          ["broken_row", expect.stringContaining(`${path}:9: a quote that opens is not closed`)],
        ]),
      );
    }
  });

  it("keep ids as they are written, and have null for what is empty", async () => {
    const { records } = await read("id,big,zero\n007,9007199254740993,\n");
    expect(records[0]?.payload).toEqual({ id: "007", big: "9007199254740993", zero: null });
  });

  it("that are no UTF-8 are Windows-1252, each by itself, unless it is said what they are", async () => {
    const text = Buffer.concat([Buffer.from("id,name\n1,Müller\n"), Buffer.from("2,M\xfcller \x80\n", "latin1")]);
    expect((await read(text)).records.map(({ payload }) => payload.name)).toEqual(["Müller", "Müller €"]);
    expect((await read(text, { encoding: "utf-8" })).records[1]?.payload.name).toBe("M\ufffdller \ufffd");
    expect((await read(text, { encoding: "windows-1252" })).records[0]?.payload.name).toBe("MÃ¼ller");
  });

  it("have a name for each column, though the header leaves some empty or has one twice", async () => {
    const { records } = await read("id,,x,x,__proto__\n1,2,3,4,5\n");
    expect(records[0]?.payload).toEqual({ id: "1", column_2: "2", x: "3", x_2: "4", column_5: "5" });
  });

  it("without a time are of the run's begin", async () => {
    const { records } = await read("id,name\n1,a\n");
    expect(records).toMatchObject([{ occurredAt: RECEIVED_AT, statedAt: null }]);
  });
});

describe("the time asked for", () => {
  it("begins with its first instant and ends before its last; what is outside is skipped and not rejected", async () => {
    const rows = ["2026-01-01", "2026-02-01", "2026-02-28", "2026-03-01"].map((day, at) => `${at},${day}\nbroken\n`);
    const window = { from: Date.parse("2026-02-01"), to: Date.parse("2026-03-01") };
    const { records, rejections, files } = await read(`id,updated_at\n${rows.join("")}`, window, 2);
    expect(records.map(({ payload }) => payload.id)).toEqual(["1", "2"]);
    expect(rejections).toHaveLength(4);
    expect(files[0]?.pages.at(-1)?.skipped).toBe(2);
  });

  it("and any other way to read a file has a checkpoint of its own", async () => {
    const names = new Set<string>();
    const asked: Partial<BackfillRequest>[] = [
      {},
      { from: 1 },
      { from: 2 },
      { to: 1 },
      { zone: "UTC" },
      { form: "rows" },
    ];
    for (const one of asked) names.add((await read(HUBSPOT, one)).files[0]?.source.checkpointName ?? "");
    expect(names.size).toBe(asked.length);
  });
});

describe("a folder", () => {
  it("may have what is no data in it, which is left out and told", async () => {
    const folder = join(directory, "logs");
    await mkdir(folder);
    await writeFile(join(folder, "a.jsonl"), '{"type":"identify","userId":"u"}\n');
    await writeFile(join(folder, "README.txt"), "These are the logs.\n");
    const { files, leftOut } = await readFiles({ paths: [folder] });
    expect(files.map(({ path }) => path)).toEqual([join(folder, "a.jsonl")]);
    expect(leftOut).toMatchObject([{ path: join(folder, "README.txt"), why: expect.stringContaining("one column") }]);
    await rm(join(folder, "a.jsonl"));
    await expect(readFiles({ paths: [folder] })).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining("README.txt"),
    });
  });

  it("with a file that is damaged is not read past it in silence", async () => {
    const folder = join(directory, "logs");
    await mkdir(folder);
    await writeFile(join(folder, "a.gz"), Uint8Array.from([0x1f, 0x8b, 8, 0, 9, 9, 9]));
    await writeFile(join(folder, "b.jsonl"), '{"type":"identify","userId":"u"}\n');
    await expect(readFiles({ paths: [folder] })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  });
});
