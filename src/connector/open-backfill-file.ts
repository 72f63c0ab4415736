/** A file of a backfill as a source to pull: read on this thread, or by threads of its own where that pays. */

import type { MappingSource } from "../core/mapping/compile.ts";
import { portableMapping } from "../core/mapping/portable.ts";
import type { BackfillRequest } from "../core/operations.ts";
import type { PullSource } from "../core/source.ts";
import type { BackfillFile } from "../pipeline/backfill.ts";
import { createFileSource, type FileSourceOptions, fileCheckpointName } from "../sources/file/file-source.ts";
import { createPageReader } from "../sources/file/visit-page.ts";
import type { ReadableFile } from "./backfill-files.ts";
import { openPageThreads } from "./page-threads/open.ts";
import { pageOptionsOf } from "./page-threads/prepare-page.ts";
import type { PageThreadOptions } from "./page-threads/protocol.ts";

export interface HowToRead {
  readonly mapping: MappingSource;
  readonly lanes: number;
  readonly receivedAt: number;
  readonly mayUseThreads: boolean;
  readonly maxEvents: number | null;
  readonly perSecond: number | null;
}

/** From here on threads are started for a file: before, it is read in the time they take to start. */
const WORTH_THREADS_BYTES = 2 * 1024 * 1024;
/** Handing over costs by the page; and a thread holds one line at a time, however many there are. */
const LINES_PER_THREAD_PAGE = 500;

/** `saysPeople`: what it says of people is read before everything. */
export function createFileOpener(request: BackfillRequest, how: HowToRead) {
  const way = wayOf(request);
  return (file: ReadableFile, saysPeople: boolean): BackfillFile => ({
    path: file.name,
    about: file.about,
    bytes: file.found.size,
    everything: openSource(file, request, how, { end: way }),
    memberships: saysPeople
      ? openSource(file, request, how, { end: [way, "statements"].join(""), only: "statements" })
      : null,
  });
}

interface End {
  readonly end: string;
  readonly only?: "statements";
}

/** A small file is read on this thread, and mapped by the ingest. */
function openSource(
  { found, layout, name, table, rows }: ReadableFile,
  request: BackfillRequest,
  how: HowToRead,
  { end, only }: End,
): PullSource {
  const { source, from = null, to = null } = request;
  const { mapping, lanes, receivedAt, mayUseThreads } = how;
  const { path, entry } = found;
  const pageLines = only === undefined ? pageWithin(how) : LINES_PER_THREAD_PAGE;
  const options = { path, entry, layout, source, pageLines, ...(end === "" ? {} : { end }) };
  const reading = { path: name, source, receivedAt, rows, table, window: { from, to } };
  if (found.size < WORTH_THREADS_BYTES || !mayUseThreads)
    return createFileSource({ ...options, read: createPageReader(pageOptionsOf(reading)) });
  const portable = { ...reading, mapping: portableMapping(mapping), lanes };
  return readByThreads(options, only === undefined ? portable : { ...portable, only });
}

/** The threads live as long as the file is read: another reading of it has its own. */
function readByThreads(
  options: Omit<FileSourceOptions, "read" | "pagesAhead">,
  threads: PageThreadOptions,
): PullSource {
  return {
    checkpointName: fileCheckpointName(options),
    async *pages(cursor, signal) {
      const { read, pagesAhead, close } = openPageThreads(threads);
      try {
        yield* createFileSource({ ...options, read, pagesAhead }).pages(cursor, signal);
      } finally {
        await close();
      }
    },
  };
}

/** A run ends between two pages, and waits between them: small ones come closer to its limits. */
function pageWithin({ maxEvents, perSecond }: HowToRead): number {
  const most = Math.min(
    maxEvents === null ? LINES_PER_THREAD_PAGE : maxEvents / 20,
    perSecond ?? LINES_PER_THREAD_PAGE,
  );
  return Math.min(LINES_PER_THREAD_PAGE, Math.max(1, Math.floor(most)));
}

/** Whatever decides what a row becomes: read in another way, a file begins anew. Empty where nothing was asked for. */
function wayOf({ form, idColumn, timeColumn, zone, encoding, from, to }: BackfillRequest): string {
  const said = Object.entries({ form, idColumn, timeColumn, zone, encoding, from, to }).filter(
    ([, value]) => value !== undefined,
  );
  return said.map(([name, value]) => `${name}=${value}`).join("&");
}
