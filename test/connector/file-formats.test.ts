/** What a file is, is found from its bytes; whatever it is, its records are the same, and from any page on it gives the rest. */

import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import yazl from "yazl";
import { type Read, readFiles, readPages } from "./read-files.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-formats-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function write(name: string, bytes: string | Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, bytes);
  return path;
}

async function zipped(entries: Readonly<Record<string, string | Uint8Array>>, compress = true): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  for (const [name, bytes] of Object.entries(entries)) zip.addBuffer(Buffer.from(bytes), name, { compress });
  zip.end();
  const path = join(directory, "made.zip");
  await pipeline(zip.outputStream, createWriteStream(path));
  const bytes = await readFile(path);
  await rm(path);
  return bytes;
}

const ROWS = Array.from({ length: 25 }, (_, at) => ({
  id: `r${at}`,
  name: `Näme "${at}"\nGmbH`,
  updated_at: "2026-01-02 03:04",
}));
const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
const csv = (delimiter = ",", newline = "\r\n") =>
  [["id", "name", "updated_at"], ...ROWS.map(({ id, name, updated_at }) => [id, name, updated_at])]
    .map((cells) => cells.map(quoted).join(delimiter) + newline)
    .join("");
const jsonl = () => ROWS.map((row) => `${JSON.stringify(row)}\n`).join("");
const parquet = () =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: (["id", "name", "updated_at"] as const).map((name) => ({
        name,
        data: ROWS.map((row) => row[name]),
        type: "STRING",
      })),
      rowGroupSize: [10, 10, 5],
    }),
  );
const utf16be = (text: string) => Buffer.from(text, "utf16le").swap16();
const windows1252 = (text: string) => Buffer.from(text, "latin1");

const FORMATS: Readonly<Record<string, () => string | Uint8Array | Promise<Uint8Array>>> = {
  "JSON lines": jsonl,
  "JSON lines in zstd": () => zstdCompressSync(jsonl()),
  "JSON lines in UTF-16": () => Buffer.from(`\ufeff${jsonl()}`, "utf16le"),
  CSV: csv,
  "CSV with a byte order mark": () => `\ufeff${csv()}`,
  "CSV with semicolons and line feeds": () => csv(";", "\n"),
  TSV: () => csv("\t"),
  "CSV in gzip": () => gzipSync(csv()),
  "CSV in gzip of two members": () => Buffer.concat([gzipSync(csv().slice(0, 333)), gzipSync(csv().slice(333))]),
  "CSV in zstd": () => zstdCompressSync(csv()),
  "CSV in zstd of three frames": () =>
    Buffer.concat([csv().slice(0, 111), csv().slice(111, 500), csv().slice(500)].map((part) => zstdCompressSync(part))),
  "CSV in zip": () => zipped({ "all.csv": csv() }),
  "CSV in zip, not compressed there": () => zipped({ "all.csv": csv() }, false),
  "CSV in gzip in zip": () => zipped({ "all.csv.gz": gzipSync(csv()) }),
  "CSV in zstd in zip, not compressed there": () => zipped({ "all.csv.zst": zstdCompressSync(csv()) }, false),
  "CSV in UTF-16LE": () => Buffer.from(`\ufeff${csv()}`, "utf16le"),
  "CSV in UTF-16BE": () => utf16be(`\ufeff${csv()}`),
  "CSV in UTF-16LE without a byte order mark, in gzip": () => gzipSync(Buffer.from(csv(), "utf16le")),
  "CSV in Windows-1252": () => windows1252(csv()),
  Parquet: parquet,
  "Parquet in gzip": () => gzipSync(parquet()),
  "Parquet in zip": () => zipped({ "all.parquet": parquet() }),
  "Parquet in zip, not compressed there": () => zipped({ "all.parquet": parquet() }, false),
};

const said = ({ records, rejections }: Pick<Read, "records" | "rejections">) => ({ records, rejections });

describe.each(Object.entries(FORMATS))("%s", (_, bytes) => {
  it("is known by its bytes, and gives the records of the rows", async () => {
    const path = await write("export.dat", await bytes());
    const { records, rejections } = await readFiles({ paths: [path] });
    expect(rejections).toEqual([]);
    expect(records.map(({ payload }) => payload)).toEqual(ROWS);
    expect(records[7]).toMatchObject({
      occurredAt: Date.parse("2026-01-02T03:04Z"),
      id: expect.stringMatching(/^r7:/),
    });
  });

  it("gives from the cursor of any page exactly what followed", async () => {
    const path = await write("export.dat", await bytes());
    const whole = await readFiles({ paths: [path] }, 4, async ({ source, pages }) => {
      for (const [index, { cursor }] of pages.entries()) {
        const rest = await readPages(source, cursor);
        const expected = pages.slice(index + 1);
        expect(rest.flatMap(({ records }) => records)).toEqual(expected.flatMap(({ records }) => records));
        if (expected.length > 0) expect(rest.map((page) => page.cursor)).toEqual(expected.map((page) => page.cursor));
        // The last says that it is: so the file need not be read again to know.
        else expect(rest).toMatchObject([{ cursor, records: [] }]);
      }
      expect(pages.length).toBeGreaterThan(4);
    });
    expect(said(whole)).toEqual(said(await readFiles({ paths: [path] })));
  });

  it("is refused when it is not the file of the cursor any more", async () => {
    const path = await write("export.dat", await bytes());
    const { files } = await readFiles({ paths: [path] }, 4);
    const [cursor] = files[0]?.pages.map((page) => page.cursor) ?? [];
    await write("export.dat", gzipSync(csv().replaceAll("r1", "s1")));
    const source = (await readFiles({ paths: [path] })).files[0]?.source;
    if (!source) throw new Error("there is no file");
    await expect(readPages(source, cursor)).rejects.toMatchObject({ code: "INPUT_CHANGED" });
  });
});

it("knows UTF-16 by its byte order mark, in whatever script", async () => {
  const text = "\ufeff番号,名前\n一,会社\n";
  for (const bytes of [Buffer.from(text, "utf16le"), utf16be(text)]) {
    const { records } = await readFiles({ paths: [await write("export.dat", bytes)] });
    expect(records.map(({ payload }) => payload)).toEqual([{ 番号: "一", 名前: "会社" }]);
  }
});

it("refuses a zip file whose entry of the same size has other content than at its checkpoint", async () => {
  const path = await write("export.zip", await zipped({ "a.csv": csv() }, false));
  const { files } = await readFiles({ paths: [path] }, 4);
  const [cursor] = files[0]?.pages.map((page) => page.cursor) ?? [];
  await write("export.zip", await zipped({ "a.csv": csv().replace("r24", "s24") }, false));
  const source = (await readFiles({ paths: [path] })).files[0]?.source;
  if (!source || !cursor) throw new Error("there is no file");
  await expect(readPages(source, cursor)).rejects.toMatchObject({ code: "INPUT_CHANGED" });
});

describe("what cannot be read", () => {
  it.each([
    ["text of one column", "hello\nworld\n", /text of one column, that begins "hello/],
    ["bytes", Uint8Array.from([0, 1, 2, 0, 255, 3, 7, 8, 9, 0]), /binary data/],
    ["random bytes with the mark of Parquet", `PAR1${"x".repeat(500)}PAR1`, /the Parquet file is damaged/],
    ["Parquet cut short", () => parquet().slice(0, 400), /the Parquet file is damaged/],
    ["zstd with other bytes behind", () => Buffer.concat([zstdCompressSync(csv()), Buffer.from("more")]), /zstd data/],
    ["gzip cut short", () => gzipSync(csv()).subarray(0, 150), /the gzip data ends too early/],
    ["zstd cut short", () => zstdCompressSync(jsonl().repeat(50)).subarray(0, 200), /the zstd data ends too early/],
    ["a zip file in gzip", async () => gzipSync(await zipped({ a: csv() })), /a zip file lies in a compressed one/],
    [
      "a zip file cut short",
      async () => (await zipped({ "a.csv": csv() })).subarray(0, 200),
      /the zip file is damaged/,
    ],
    [
      "an entry of a zip file that was changed",
      async () => {
        const bytes = await zipped({ "a.csv": csv() }, false);
        bytes.write("XX", bytes.indexOf("r7"));
        return bytes;
      },
      /its checksum is another/,
    ],
  ] as const)("%s says so", async (_, bytes, message) => {
    const path = await write("broken.dat", typeof bytes === "function" ? await bytes() : bytes);
    await expect(readFiles({ paths: [path] })).rejects.toMatchObject({
      code: "INPUT_INVALID",
      message: expect.stringMatching(message),
    });
  });

  it("is told of a zip file that is encrypted", async () => {
    const bytes = await zipped({ "a.csv": csv() });
    for (const mark of ["PK\x03\x04", "PK\x01\x02"]) {
      const at = bytes.indexOf(mark, 0, "latin1") + (mark[2] === "\x03" ? 6 : 8);
      bytes.writeUInt16LE(bytes.readUInt16LE(at) | 1, at);
    }
    await expect(readFiles({ paths: [await write("locked.zip", bytes)] })).rejects.toMatchObject({
      code: "INPUT_INVALID",
      message: expect.stringContaining("a.csv is encrypted"),
    });
  });
});
