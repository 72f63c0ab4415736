/** The file source: JSON lines, plain or gzip, read with flat memory and resumable at the end of every page. */

import { resolve } from "node:path";
import type { Page, PullSource } from "../../core/source.ts";
import { type Chunk, gunzipChunks, isGzip, plainChunks } from "./chunks.ts";
import { checkIdentity, type FileCursor, identify, parseCursor, startCursor } from "./cursor.ts";
import { createLineSplitter } from "./lines.ts";
import { type OpenFile, openFile } from "./open-file.ts";
import { createPageBuilder, type PageOptions } from "./page.ts";
import { createSkipper } from "./skip.ts";

export interface FileSourceOptions
  extends Pick<PageOptions, "path" | "source" | "receivedAt" | "readLine">,
    Partial<Pick<PageOptions, "pageRecords" | "maxLineBytes">> {}

/** Larger pages gain nothing in the ledger and cost in garbage collection. */
const PAGE_RECORDS = 500;
const MAX_LINE_BYTES = 1024 * 1024;

/**
 * A file of JSON lines, gzip recognised by its bytes. Blank lines are left out; a line that is not JSON, is too long
 * or is refused by `readLine` becomes a rejection whose detail begins with `<path>:<line>`. Cursors are described in cursor.ts.
 * Its pages throw NOT_FOUND, INPUT_INVALID (no regular file; gzip cut short, after all whole lines were given, or damaged)
 * and INPUT_CHANGED (it is not the file of the cursor any more).
 */
export function createFileSource(options: FileSourceOptions): PullSource {
  const { path, source } = options;
  const settings = { pageRecords: PAGE_RECORDS, maxLineBytes: MAX_LINE_BYTES, ...options };
  return {
    checkpointName: `file:${source}:${resolve(path)}`,
    async *pages(cursor, signal) {
      const opened = await openFile(path);
      try {
        yield* readPages(opened, await startOf(opened, cursor), { ...settings, signal });
      } finally {
        await opened.file.close();
      }
    },
  };
}

async function startOf(opened: OpenFile, cursor: string | null): Promise<FileCursor> {
  const identity = await identify(opened, opened.size);
  if (cursor === null) return startCursor(identity);
  const known = parseCursor(cursor, opened.path);
  await checkIdentity(opened, known.file);
  return { ...known, file: identity };
}

interface ReadOptions extends PageOptions {
  readonly signal: AbortSignal;
}

async function* readPages(opened: OpenFile, start: FileCursor, options: ReadOptions): AsyncGenerator<Page> {
  const { signal } = options;
  const splitter = createLineSplitter(options.maxLineBytes);
  const page = createPageBuilder(start, options);
  const { chunks, skipper } = await openChunks(opened, start);
  let bytes = 0;
  let isFirst = true;
  let failure: unknown = null;
  const taken = () => {
    isFirst = false;
    return page.take(bytes, opened.size);
  };
  try {
    for await (const chunk of chunks) {
      bytes = chunk.bytes;
      for (const part of chunk.parts) {
        for (const line of splitter.push(skipper.rest(part))) {
          if (page.add(line)) yield taken();
          if (signal.aborted) return;
        }
      }
    }
    skipper.finish();
    const last = splitter.finish();
    if (last) page.add(last);
  } catch (thrown) {
    failure = thrown;
  }
  // Who goes on with a finished file gets a page without records, which tells how far it had come.
  if (page.filled || (isFirst && !failure && start.records > 0)) yield taken();
  if (failure) throw failure;
}

interface OpenChunks {
  readonly chunks: AsyncIterable<Chunk>;
  readonly skipper: ReturnType<typeof createSkipper>;
}

/** A plain file is entered at the last byte before the cursor; gzip has to be decompressed up to it. */
async function openChunks(opened: OpenFile, { offset }: FileCursor): Promise<OpenChunks> {
  const { path } = opened;
  if (await isGzip(opened)) return { chunks: gunzipChunks(opened), skipper: createSkipper(offset, path) };
  const start = Math.max(0, offset - 1);
  return { chunks: plainChunks(opened, start), skipper: createSkipper(offset - start, path) };
}
