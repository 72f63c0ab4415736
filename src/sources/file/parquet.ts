/** A Parquet file: its columns, and their values as JSON has them. */

import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Compressors, FileMetaData } from "hyparquet";
import { PrickleError } from "../../core/errors.ts";
import { type OpenFile, readAt } from "../../platform/files/open-file.ts";

export interface ParquetFile {
  readonly columns: readonly string[];
  readonly rows: number;
  /** Ranges of rows that are read at once: what has to be in memory. In order. */
  readonly stretches: readonly Stretch[];
  /** The rows of a stretch, each as JSON. @throws INPUT_INVALID */
  read(stretch: Stretch): Promise<readonly string[]>;
}

/** `to` is exclusive. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Where the file says where its pages lie, a row group is not read as a whole. */
const STRETCH_ROWS = 10_000;

/** zlib's own where there is one: several times as fast as JavaScript. */
const COMPRESSORS: Compressors = {
  BROTLI: (input) => brotliDecompressSync(input),
  GZIP: (input) => gunzipSync(input),
  ZSTD: (input) => zstdDecompressSync(input),
};

/** @throws INPUT_INVALID */
export async function openParquet(opened: OpenFile): Promise<ParquetFile> {
  const { parquetMetadataAsync, parquetScan, parquetSchema } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  const file = {
    byteLength: opened.size,
    slice: async (start: number, end = opened.size) => bufferOf(await readAt(opened, start, end - start)),
  };
  return orDamaged(opened.path, async () => {
    const metadata = await parquetMetadataAsync(file);
    const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
    const scan = await parquetScan({
      file,
      metadata,
      compressors: { ...compressors, ...COMPRESSORS },
      parsers: PARSERS,
    });
    const local = localTimes(metadata);
    return {
      columns,
      rows: Number(metadata.num_rows),
      stretches: stretchesOf(metadata),
      read: ({ from: rowStart, to: rowEnd }) =>
        orDamaged(opened.path, async () => {
          const values: ArrayLike<unknown>[] = [];
          for (const column of columns) values.push(await scan.readColumn({ column, rowStart, rowEnd }));
          return Array.from({ length: rowEnd - rowStart }, (_, at) =>
            JSON.stringify(
              Object.fromEntries(
                columns.map((column, index) => [column, zoned(values[index]?.[at], local.has(column))]),
              ),
              asJson,
            ),
          );
        }),
    };
  });
}

function stretchesOf({ row_groups: groups }: FileMetaData): readonly Stretch[] {
  let begin = 0;
  return groups.flatMap(({ num_rows, columns }) => {
    const from = begin;
    begin += Number(num_rows);
    const isIndexed = columns.every(({ offset_index_offset: at }) => at !== undefined);
    const rows = isIndexed ? STRETCH_ROWS : Math.max(1, begin - from);
    const count = Math.ceil((begin - from) / rows);
    return Array.from({ length: count }, (_, at) => ({
      from: from + at * rows,
      to: Math.min(begin, from + (at + 1) * rows),
    }));
  });
}

const PARSERS = {
  timestampFromMilliseconds: (ms: bigint) => timeText(Number(ms)),
  timestampFromMicroseconds: (us: bigint) => timeText(Number(us / 1000n)),
  timestampFromNanoseconds: (ns: bigint) => timeText(Number(ns / 1_000_000n)),
  dateFromDays: (days: number) => timeText(days * 86_400_000)?.slice(0, "2026-11-24".length) ?? null,
};

/** Null for what no calendar has. */
function timeText(ms: number): string | null {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : null;
}

/** Columns whose times are of no zone, as pandas writes them. */
function localTimes({ schema }: FileMetaData): ReadonlySet<string> {
  const isLocal = ({ logical_type: type }: FileMetaData["schema"][number]) =>
    type?.type === "TIMESTAMP" && !type.isAdjustedToUTC;
  return new Set(schema.filter(isLocal).map(({ name }) => name));
}

function zoned(value: unknown, isLocal: boolean): unknown {
  return isLocal && typeof value === "string" ? value.replace(/Z$/, "") : value;
}

/** Whole numbers that JSON cannot hold become text, bytes base64. */
function asJson(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as unknown as number[]) : value;
}

function bufferOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

async function orDamaged<Value>(path: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof PrickleError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PrickleError("INPUT_INVALID", `${path}: the Parquet file is damaged (${why}).`, {
      hint: "Fetch the file again: what was read is kept, and reading goes on from the checkpoint.",
      cause,
    });
  }
}
