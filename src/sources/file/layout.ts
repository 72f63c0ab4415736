/** How a file is laid out, found from its first bytes and never from its name. */

import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { PrickleError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { Chunk } from "../../platform/files/chunks.ts";
import { type OpenFile, openFile, readAt } from "../../platform/files/open-file.ts";
import { findRowEnd } from "../../platform/files/row-end.ts";
import { namedColumns, parseRows, sniffDelimiter } from "../../platform/files/table-text.ts";
import { unpacked } from "../../platform/files/unpacked.ts";
import { openParquet } from "./parquet.ts";
import { type Encoding, sniffEncoding } from "./text-encoding.ts";

export type Layout =
  | { readonly format: "lines"; readonly encoding: Encoding }
  | {
      readonly format: "table";
      readonly encoding: Encoding;
      /** Whoever reads it said so: a row that is no valid UTF-8 is not taken for Windows-1252. */
      readonly isEncodingSaid: boolean;
      readonly delimiter: string;
    }
  /** `unpackedPath`: where it lies decompressed, since it is read from its end; null where it is plain. */
  | { readonly format: "parquet"; readonly unpackedPath: string | null };

export interface Examined {
  readonly layout: Layout;
  /** Of a table or a Parquet file; else null. */
  readonly columns: readonly string[] | null;
  /** The first record, where it can be told; of a table null. */
  readonly first: JsonObject | null;
}

export interface ExamineOptions {
  readonly encoding?: Encoding | undefined;
  /** Names a file that is not there yet, to unpack into. */
  readonly temporaryPath: () => string;
}

/** So much has to hold the first line or row. */
const MOST_HEAD_BYTES = 1024 * 1024;
const HEAD_BYTES = 64 * 1024;
const ROWS_LOOKED_AT = 20;
const PARQUET = "PAR1";

/** @throws INPUT_INVALID when it is neither JSON lines nor a table nor Parquet, or cannot be read */
export async function examineFile(opened: OpenFile, options: ExamineOptions): Promise<Examined> {
  const { encoding: said } = options;
  const head = await readHead(opened);
  if (head.toString("latin1", 0, PARQUET.length) === PARQUET) return examineParquet(opened, options);
  const encoding = said ?? sniffEncoding(head);
  const text = new TextDecoder(encoding).decode(head);
  const first = firstObject(text);
  if (first || /^\s*([[{]|$)/.test(text)) return { layout: { format: "lines", encoding }, columns: null, first };
  if (text.includes("\0")) throw notData(opened.path, "binary data");
  return examineTable(opened.path, text, { encoding, isEncodingSaid: said !== undefined });
}

async function readHead(opened: OpenFile): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  for await (const { parts } of unpacked(opened)) {
    head = Buffer.concat([head, ...parts]);
    const isEnough = head.length >= MOST_HEAD_BYTES || (head.length >= HEAD_BYTES && head.includes("\n"));
    if (isEnough) break;
  }
  return head.subarray(0, MOST_HEAD_BYTES);
}

/** Of JSON lines, some of which may be broken. */
function firstObject(text: string): JsonObject | null {
  for (const line of text.split("\n", ROWS_LOOKED_AT)) {
    if (!line.trimStart().startsWith("{")) continue;
    try {
      const value: JsonValue = JSON.parse(line);
      if (isJsonObject(value)) return value;
    } catch {
      // The next may be sound.
    }
  }
  return null;
}

function examineTable(
  path: string,
  text: string,
  how: { readonly encoding: Encoding; readonly isEncodingSaid: boolean },
): Examined {
  const delimiter = sniffDelimiter(text);
  const bytes = Buffer.from(text);
  const header = findRowEnd(bytes, 0, delimiter.charCodeAt(0), true);
  if (header.kind !== "row") throw notData(path, "a first line whose quotes do not fit");
  const [columns = []] = parseRows(bytes.toString("utf8", 0, header.end), delimiter);
  if (columns.length < 2) throw notData(path, `text of one column, that begins ${JSON.stringify(text.slice(0, 40))}`);
  return { layout: { format: "table", ...how, delimiter }, columns: namedColumns(columns), first: null };
}

async function examineParquet(opened: OpenFile, { temporaryPath }: ExamineOptions): Promise<Examined> {
  const isPlain = (await readAt(opened, 0, PARQUET.length)).toString("latin1") === PARQUET;
  const unpackedPath = isPlain ? null : temporaryPath();
  if (unpackedPath === null) return parquetOf(opened, null);
  await pipeline(unpacked(opened), flattened, createWriteStream(unpackedPath));
  const written = await openFile({ path: unpackedPath });
  try {
    return await parquetOf({ ...written, path: opened.path }, unpackedPath);
  } finally {
    await written.file.close();
  }
}

async function parquetOf(opened: OpenFile, unpackedPath: string | null): Promise<Examined> {
  const { columns } = await openParquet(opened);
  return { layout: { format: "parquet", unpackedPath }, columns, first: null };
}

async function* flattened(chunks: AsyncIterable<Chunk>): AsyncGenerator<Uint8Array> {
  for await (const { parts } of chunks) yield* parts;
}

function notData(path: string, found: string): PrickleError {
  return new PrickleError("INPUT_INVALID", `${path}: found ${found}.`, {
    hint: "JSON lines, CSV or TSV with a header, and Parquet can be read, each also in gzip, zstd or zip.",
  });
}
