/** The file source: JSON lines, plain or gzip, read with flat memory and resumable at the end of every page. */

import { resolve } from "node:path";
import type { Page, PullSource } from "../../core/source.ts";
import { type Chunk, gunzipChunks, isGzip, plainChunks } from "./chunks.ts";
import { checkIdentity, type FileCursor, identify, parseCursor, startCursor } from "./cursor.ts";
import { createLineSplitter } from "./lines.ts";
import { type OpenFile, openFile } from "./open-file.ts";
import { createPageBuilder, type PageOptions } from "./page.ts";
import { createSkipper } from "./skip.ts";

export type { LineContext, ReadLine } from "./page.ts";

export interface FileSourceOptions
  extends Pick<PageOptions, "path" | "source" | "receivedAt" | "readLine">,
    Partial<Pick<PageOptions, "pageRecords" | "maxLineBytes">> {}

const PAGE_RECORDS = 1000;
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
        yield* readPages(opened, await startOf(opened, cursor, path), { ...settings, signal });
      } finally {
        await opened.file.close();
      }
    },
  };
}

async function startOf({ file, size }: OpenFile, cursor: string | null, path: string): Promise<FileCursor> {
  const identity = await identify(file, size);
  if (cursor === null) return startCursor(identity);
  const known = parseCursor(cursor, path);
  await checkIdentity(file, path, { known: known.file, size });
  return { ...known, file: identity };
}

interface ReadOptions extends PageOptions {
  readonly signal: AbortSignal;
}

async function* readPages(opened: OpenFile, start: FileCursor, options: ReadOptions): AsyncGenerator<Page> {
  const { path, signal } = options;
  const splitter = createLineSplitter(options.maxLineBytes);
  const page = createPageBuilder(start, options);
  const { chunks, skipper } = await openChunks(opened, start, path);
  let bytes = 0;
  let failure: unknown = null;
  try {
    for await (const chunk of chunks) {
      bytes = chunk.bytes;
      for (const part of chunk.parts) {
        for (const line of splitter.push(skipper.rest(part))) {
          if (page.add(line)) yield page.take(bytes, opened.size);
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
  if (page.filled) yield page.take(bytes, opened.size);
  if (failure) throw failure;
}

interface OpenChunks {
  readonly chunks: AsyncIterable<Chunk>;
  readonly skipper: ReturnType<typeof createSkipper>;
}

/** A plain file is entered at the last byte before the cursor; gzip has to be decompressed up to it. */
async function openChunks({ file, size }: OpenFile, { offset }: FileCursor, path: string): Promise<OpenChunks> {
  if (await isGzip(file)) return { chunks: gunzipChunks(file, { path, size }), skipper: createSkipper(offset, path) };
  const start = Math.max(0, offset - 1);
  return { chunks: plainChunks(file, start, { path, size }), skipper: createSkipper(offset - start, path) };
}
