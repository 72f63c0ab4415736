/** The file source: JSON lines, plain or gzip, read with flat memory and resumable at the end of every page. */

import { resolve } from "node:path";
import type { Intake, Page, PreparedPage, PullSource } from "../../core/source.ts";
import { checkIdentity, type FileCursor, formatCursor, identify, parseCursor, startCursor } from "./cursor.ts";
import { type CutPage, cutPages } from "./cut-pages.ts";
import { type OpenFile, openFile } from "./open-file.ts";
import { createSlicer, type RawPage } from "./slicer.ts";

export interface FileSourceOptions {
  readonly path: string;
  readonly source: string;
  readonly read: ReadPage;
  /** Pages being read at a time. Default 1. */
  readonly pagesAhead?: number;
  readonly pageLines?: number;
  readonly maxLineBytes?: number;
  /** Of a file that is read for several ends: each has a checkpoint of its own. */
  readonly end?: string;
}

/** What the lines of a page say, or what is to be committed of them. */
export type PageContent = Intake | Omit<PreparedPage, "cursor" | "progress">;

/** Gives back the page's memory too, which is no longer needed. */
export type ReadPage = (page: RawPage) => Promise<{ readonly content: PageContent; readonly memory: ArrayBuffer }>;

/** Larger pages gain nothing in the ledger and cost in garbage collection. */
const PAGE_LINES = 500;
export const MAX_LINE_BYTES = 1024 * 1024;

/**
 * A file of JSON lines, gzip recognised by its bytes. Cursors are described in cursor.ts. Its pages throw NOT_FOUND,
 * INPUT_INVALID (no regular file; gzip cut short, after all whole lines were given, or damaged) and INPUT_CHANGED (it is
 * not the file of the cursor any more).
 */
export function createFileSource(options: FileSourceOptions): PullSource {
  const { path } = options;
  return {
    checkpointName: fileCheckpointName(options),
    async *pages(cursor, signal) {
      const opened = await openFile(path);
      try {
        yield* readPages(opened, await startOf(opened, cursor), options, signal);
      } finally {
        await opened.file.close();
      }
    },
  };
}

export function fileCheckpointName({ path, source, end }: Pick<FileSourceOptions, "path" | "source" | "end">): string {
  return `file:${source}:${resolve(path)}${end === undefined ? "" : `#${end}`}`;
}

async function startOf(opened: OpenFile, cursor: string | null): Promise<FileCursor> {
  const identity = await identify(opened, opened.size);
  if (cursor === null) return startCursor(identity);
  const known = parseCursor(cursor, opened.path);
  await checkIdentity(opened, known.file);
  return { ...known, file: identity };
}

/** A page being read. */
interface Ahead extends CutPage {
  readonly reading: ReturnType<ReadPage>;
}

async function* readPages(
  opened: OpenFile,
  start: FileCursor,
  options: FileSourceOptions,
  signal: AbortSignal,
): AsyncGenerator<Page | PreparedPage> {
  const { read: readPage, pagesAhead = 1, pageLines = PAGE_LINES, maxLineBytes = MAX_LINE_BYTES } = options;
  const slicer = createSlicer({ lines: start.lines, pageLines, maxLineBytes });
  const cursors = createCursors(start, opened.size);
  const ahead: Ahead[] = [];
  let given = 0;
  const begin = ({ page, bytes }: CutPage) => {
    const reading = readPage(page);
    reading.catch(() => undefined); // Its failure is met when it is its turn.
    ahead.push({ page, reading, bytes });
  };
  async function* give(most: number): AsyncGenerator<Page | PreparedPage> {
    while (ahead.length > most && !signal.aborted) {
      const [next] = ahead.splice(0, 1);
      if (!next) return;
      const read = await orStopped(next.reading, signal);
      if (!read) return;
      const { content, memory } = read;
      slicer.reuse(memory);
      const page = cursors.after(next, content);
      // Nothing but blank lines: told of with the next page.
      if (countOf(content) === 0) continue;
      given += 1;
      yield page;
    }
  }
  for await (const cut of cutPages(opened, start.offset, slicer)) {
    if ("page" in cut) begin(cut);
    yield* give("page" in cut ? pagesAhead - 1 : 0);
    if (signal.aborted) return;
    if ("failure" in cut) throw cut.failure;
  }
  yield* give(0);
  // Who goes on with a finished file gets a page without records, which tells how far it had come.
  if (given === 0 && start.records > 0 && !signal.aborted) yield cursors.here();
}

/** Null when `signal` aborts first. No `Promise.race`: with it, what was read would live as long as the signal. */
function orStopped<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value | null> {
  return new Promise((resolve, reject) => {
    const stop = () => resolve(null);
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** Adds up what the pages had, one after the other. */
function createCursors(start: FileCursor, totalBytes: number) {
  let { lines, records, offset } = start;
  const at = (bytes: number) => ({
    cursor: formatCursor({ ...start, lines, records, offset }),
    progress: { records, bytes, totalBytes },
  });
  return {
    after({ page, bytes }: Ahead, content: PageContent): Page | PreparedPage {
      lines += page.lines;
      offset += page.length;
      records += countOf(content);
      return { ...content, ...at(bytes) };
    },
    here: (): Page => ({ records: [], rejections: [], ...at(totalBytes) }),
  };
}

function countOf(content: PageContent): number {
  return "parcels" in content ? content.received : content.records.length + content.rejections.length;
}
