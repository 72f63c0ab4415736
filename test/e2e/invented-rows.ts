/** Rows of a table of orders in every layout, some of them broken, for runs that are killed. */

import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import yazl from "yazl";

export interface InventedRows {
  /** In the folder, in all files together. */
  readonly rows: number;
  readonly broken: number;
}

/** What `ROWS_MAPPING` makes of a row: one event, in the group of its company. */
export const ROWS_MAPPING = {
  groupTypes: ["company"],
  rules: [
    {
      name: "order",
      when: 'typeof(order) = "string"',
      event: {
        name: "Order Paid",
        distinctId: { "@path": "$.user" },
        properties: { order: { "@path": "$.order" }, note: { "@path": "$.note" } },
        groups: { company: { "@path": "$.company" } },
      },
    },
  ],
};

const COLUMNS = ["order", "user", "company", "note", "updated_at"] as const;
const BROKEN_EVERY = 500;

function rowOf(at: number): Readonly<Record<(typeof COLUMNS)[number], string>> {
  const updated_at = new Date(Date.UTC(2026, 0, 1) + at * 60_000).toISOString();
  return {
    order: `o${at}`,
    user: `u${at % 97}`,
    company: `c${at % 23}`,
    note: `Nöte "${at}"\nof ${at % 7}`,
    updated_at,
  };
}

function csvOf(from: number, to: number): string {
  const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
  const lines = [COLUMNS.map(quoted).join(",")];
  for (let at = from; at < to; at++) {
    if (at % BROKEN_EVERY === 0) lines.push(`"broken"${at},x`);
    const row = rowOf(at);
    lines.push(COLUMNS.map((name) => quoted(row[name])).join(","));
  }
  return lines.map((line) => `${line}\r\n`).join("");
}

/** Five files of `rowsEach` rows: a table in gzip, one in UTF-16, Parquet, and a zip file with JSON lines and a table. */
export async function inventRows(folder: string, rowsEach: number): Promise<InventedRows> {
  await mkdir(folder);
  const range = (turn: number) => Array.from({ length: rowsEach }, (_, at) => rowOf(turn * rowsEach + at));
  const csv = (turn: number) => csvOf(turn * rowsEach, (turn + 1) * rowsEach);
  await writeFile(join(folder, "1.csv.gz"), gzipSync(csv(0)));
  await writeFile(join(folder, "2.txt"), Buffer.from(`\ufeff${csv(1)}`, "utf16le"));
  const columnData = COLUMNS.map((name) => ({ name, data: range(2).map((row) => row[name]), type: "STRING" as const }));
  await writeFile(join(folder, "3"), new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: [700] })));
  const zip = new yazl.ZipFile();
  zip.addBuffer(
    zstdCompressSync(
      range(3)
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(""),
    ),
    "a.jsonl.zst",
  );
  zip.addBuffer(Buffer.from(csv(4)), "b.csv");
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(join(folder, "4.zip")));
  const brokenIn = (turn: number) =>
    Math.ceil(((turn + 1) * rowsEach) / BROKEN_EVERY) - Math.ceil((turn * rowsEach) / BROKEN_EVERY);
  return { rows: rowsEach * 5, broken: [0, 1, 4].reduce((sum, turn) => sum + brokenIn(turn), 0) };
}
