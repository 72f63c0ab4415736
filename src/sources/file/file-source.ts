/** The file source: lines or rows, read with flat memory and resumable at the end of every page. */

import { resolve } from "node:path";
import type { Intake, Page, PreparedPage, PullSource } from "../../core/source.ts";
import { type FilePlace, nameOf, type OpenFile, openFile } from "../../platform/files/open-file.ts";
import type { RawPage } from "../../platform/files/slicer.ts";
import { checkIdentity, type FileCursor, identify, parseCursor, startCursor } from "./cursor.ts";
import { type CutPage, cutFile } from "./cut-pages.ts";
import type { Layout } from "./layout.ts";
import { countOf, createPageCursors } from "./page-cursors.ts";

export interface FileSourceOptions extends FilePlace {
  /** Default: lines of UTF-8. */
  readonly layout?: Layout;
  readonly source: string;
  readonly read: ReadPage;
  /** Pages being read at a time. Default 1. */
  readonly pagesAhead?: number;
  readonly pageLines?: number;
  readonly maxLineBytes?: number;
  /** Of a file that is read for several ends, or in several ways: each has a checkpoint of its own. */
  readonly end?: string;
}

/** What the lines of a page say, or what is to be committed of them. */
export type PageContent = Intake | Omit<PreparedPage, "cursor" | "progress">;

export interface ReadPageResult {
  readonly content: PageContent;
  /** Records nobody asked for. Default: none. */
  readonly skipped?: number;
  /** The page's, which is no longer needed. */
  readonly memory: ArrayBuffer;
}

export type ReadPage = (page: RawPage) => Promise<ReadPageResult>;

/** Larger pages gain nothing in the ledger and cost in garbage collection. */
const PAGE_LINES = 500;
export const MAX_LINE_BYTES = 1024 * 1024;

const LINES: Layout = { format: "lines", encoding: "utf-8" };

/**
 * A file of the layout given, compression recognised by its bytes. Cursors are described in cursor.ts. Its pages throw
 * NOT_FOUND, INPUT_INVALID (no regular file; compressed data cut short, after all whole lines were given, or damaged) and
 * INPUT_CHANGED (it is not the file of the cursor any more).
 */
export function createFileSource(options: FileSourceOptions): PullSource {
  const { layout = LINES } = options;
  return {
    checkpointName: fileCheckpointName(options),
    async *pages(cursor, signal) {
      const opened = await openFile(options);
      const data =
        layout.format === "parquet" && layout.unpackedPath ? await openFile({ path: layout.unpackedPath }) : null;
      try {
        const start = await startOf(opened, cursor, layout);
        yield* readPages(data ?? opened, start, { ...options, layout }, signal);
      } finally {
        await opened.file.close();
        await data?.file.close();
      }
    },
  };
}

export function fileCheckpointName(options: Pick<FileSourceOptions, "path" | "entry" | "source" | "end">): string {
  const { path, entry, source, end } = options;
  return `file:${source}:${nameOf({ path: resolve(path), entry })}${end === undefined ? "" : `#${end}`}`;
}

async function startOf(opened: OpenFile, cursor: string | null, { format }: Layout): Promise<FileCursor> {
  const identity = await identify(opened, opened.size);
  if (cursor === null) return startCursor(identity);
  const known = parseCursor(cursor, opened.path);
  await checkIdentity(opened, known.file, format !== "parquet");
  const { isEnd, ...others } = known;
  return { ...others, file: identity, ...(isEnd && identity.size === known.file.size ? { isEnd } : {}) };
}

/** A page being read. */
interface Ahead extends CutPage {
  readonly reading: ReturnType<ReadPage>;
}

async function* readPages(
  opened: OpenFile,
  start: FileCursor,
  options: FileSourceOptions & { readonly layout: Layout },
  signal: AbortSignal,
): AsyncGenerator<Page | PreparedPage> {
  const { layout, read: readPage, pagesAhead = 1, pageLines = PAGE_LINES, maxLineBytes = MAX_LINE_BYTES } = options;
  if (start.isEnd) return yield createPageCursors(start, opened.size).here();
  const { pages, reuse } = cutFile(opened, layout, start, { pageLines, maxLineBytes });
  const cursors = createPageCursors(start, opened.size);
  const ahead: Ahead[] = [];
  let given = 0;
  let isRead = false;
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
      const { content, memory, skipped = 0 } = read;
      reuse(memory);
      const page = cursors.after(next, { content, skipped, isEnd: isRead && ahead.length === 0 });
      // Nothing but blank lines: told of with the next page.
      if (countOf(content) === 0 && skipped === 0) continue;
      given += 1;
      yield page;
    }
  }
  for await (const cut of pages) {
    if ("page" in cut) begin(cut);
    // One is held back: the last has to say that it is.
    yield* give("page" in cut ? Math.max(1, pagesAhead - 1) : 0);
    if (signal.aborted) return;
    if ("failure" in cut) throw cut.failure;
  }
  isRead = true;
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
