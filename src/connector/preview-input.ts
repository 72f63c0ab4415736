/** What a preview reads: one record, a list of them, or a file of JSON lines, from a path or from standard input. */

import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { JsonValue } from "../core/json.ts";
import type { Rejection, SourceRecord } from "../core/record.ts";
import { sniffCompression } from "../platform/files/compression.ts";
import { type OpenFile, openFile, readAt } from "../platform/files/open-file.ts";
import { cutFile } from "../sources/file/cut-pages.ts";
import { MAX_LINE_BYTES } from "../sources/file/file-source.ts";
import { readPlainRecord } from "../sources/file/plain-record.ts";
import { type ReadLine, visitLines } from "../sources/file/read-page.ts";
import { readLoggedCall } from "../sources/segment/raw-log.ts";

export interface PreviewInputOptions {
  /** A path, or the stream of standard input. */
  readonly from: string | Readable;
  /** `calls`: checked as Segment calls; `records`: any JSON object. */
  readonly as: PreviewInputKind;
  /** Name of the source that goes into ids. */
  readonly source: string;
  readonly receivedAt: number;
}

export const PREVIEW_INPUT_KINDS = ["calls", "records"] as const;
export type PreviewInputKind = (typeof PREVIEW_INPUT_KINDS)[number];

export interface PreviewItem {
  /** Line of the file, or place in the list, from 1. */
  readonly place: number;
  readonly outcome: SourceRecord | Rejection;
}

/** A file that is not larger may be one JSON text over many lines. */
const WHOLE_BYTES = 16 * 1024 * 1024;
const PAGE_LINES = 500;

const READERS: Readonly<Record<PreviewInputKind, ReadLine>> = { calls: readLoggedCall, records: readPlainRecord };

export interface PreviewInput extends AsyncDisposable {
  /** In order, from the beginning each time. @throws NOT_FOUND, INPUT_INVALID */
  read(): AsyncGenerator<PreviewItem>;
}

/** Standard input is kept in a file until it is disposed of. */
export async function openPreviewInput(options: PreviewInputOptions): Promise<PreviewInput> {
  const { from } = options;
  if (typeof from === "string") {
    return { read: () => readFrom(from, from, options), [Symbol.asyncDispose]: async () => undefined };
  }
  const directory = await mkdtemp(join(tmpdir(), "prickle-preview-"));
  const remove = () => rm(directory, { recursive: true, force: true });
  const path = join(directory, "stdin");
  try {
    await pipeline(from, createWriteStream(path));
  } catch (thrown) {
    await remove();
    throw thrown;
  }
  return { read: () => readFrom(path, "stdin", options), [Symbol.asyncDispose]: remove };
}

async function* readFrom(path: string, name: string, options: PreviewInputOptions): AsyncGenerator<PreviewItem> {
  const opened = await openFile({ path });
  try {
    const whole = await readWhole(opened);
    yield* whole === null ? readLines(opened, name, options) : readList(whole, name, options);
  } finally {
    await opened.file.close();
  }
}

/** Null when it is not one JSON text. */
async function readWhole(opened: OpenFile): Promise<readonly JsonValue[] | null> {
  if (opened.size > WHOLE_BYTES || sniffCompression(await readAt(opened, 0, 4)) !== null) return null;
  try {
    const value: JsonValue = JSON.parse(await readFile(opened.path, "utf8"));
    return Array.isArray(value) ? value : [value];
  } catch {
    return null;
  }
}

function* readList(values: readonly JsonValue[], name: string, options: PreviewInputOptions): Generator<PreviewItem> {
  const { as, source, receivedAt } = options;
  for (const [index, value] of values.entries()) {
    const place = index + 1;
    yield { place, outcome: READERS[as](value, { source, receivedAt, position: `${name}:${place}` }) };
  }
}

async function* readLines(opened: OpenFile, name: string, options: PreviewInputOptions): AsyncGenerator<PreviewItem> {
  const { as, source, receivedAt } = options;
  const limits = { pageLines: PAGE_LINES, maxLineBytes: MAX_LINE_BYTES };
  const { pages } = cutFile(opened, { format: "lines", encoding: "utf-8" }, { offset: 0, lines: 0 }, limits);
  const reading = { path: name, source, receivedAt, readLine: READERS[as], maxLineBytes: MAX_LINE_BYTES };
  for await (const cut of pages) {
    if ("failure" in cut) throw cut.failure;
    const items: PreviewItem[] = [];
    visitLines(cut.page, reading, (outcome, place) => items.push({ place, outcome }));
    yield* items;
  }
}
