/** Parquet as DuckDB writes it: every value as JSON has it, whatever compresses its pages. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openFile } from "../../../src/platform/files/open-file.ts";
import { openParquet } from "../../../src/sources/file/parquet.ts";

const ROWS = 5_000;
const SELECT = `
  SELECT 'r' || i AS id, 9007199254740993::BIGINT + i AS big, i::BIGINT AS small, i * 0.5 AS half, i % 2 = 0 AS even,
    TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL (i) SECOND AS at, TIMESTAMP '2026-01-01 10:00:00' AS wall,
    DATE '2026-01-02' AS day, [1, i]::BIGINT[] AS list, {a: i, b: 'x'} AS nested, 1.25::DECIMAL(10, 2) AS price,
    CASE WHEN i % 3 = 0 THEN NULL ELSE 'ü' || i END AS text, '0f8fad5b-d9cb-469f-a165-70867728950e'::UUID AS uuid
  FROM range(0, ${ROWS}) t(i)`;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-parquet-"));
});
afterEach(() => rm(directory, { recursive: true }));

it.each(["snappy", "zstd", "gzip", "brotli", "lz4", "uncompressed"])("is read, in %s", async (compression) => {
  const path = join(directory, "rows");
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(
    `COPY (${SELECT}) TO '${path}' (FORMAT parquet, COMPRESSION ${compression}, ROW_GROUP_SIZE 2048)`,
  );
  connection.closeSync();
  instance.closeSync();
  const opened = await openFile({ path });
  try {
    const { rows, columns, stretches, read } = await openParquet(opened);
    expect([rows, columns.length]).toEqual([ROWS, 13]);
    expect(stretches.map(({ from, to }) => to - from)).toEqual([2048, 2048, ROWS - 4096]);
    const lines = (await Promise.all(stretches.map(read))).flat();
    expect(lines).toHaveLength(ROWS);
    expect(JSON.parse(lines[4_321] ?? "")).toEqual({
      id: "r4321",
      big: "9007199254745314",
      small: 4321,
      half: 2160.5,
      even: false,
      at: "2026-01-01T01:12:01.000Z",
      wall: "2026-01-01T10:00:00.000",
      day: "2026-01-02",
      list: [1, 4321],
      nested: { a: 4321, b: "x" },
      price: 1.25,
      text: "ü4321",
      uuid: "0f8fad5b-d9cb-469f-a165-70867728950e",
    });
    expect(JSON.parse(lines[3] ?? "")).toMatchObject({ text: null });
  } finally {
    await opened.file.close();
  }
});
