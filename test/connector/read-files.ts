/** Reads files as a backfill does, up to the records: without a ledger, on this thread. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBackfillFiles, type ReadableFiles } from "../../src/connector/backfill-files.ts";
import { createFileOpener } from "../../src/connector/open-backfill-file.ts";
import type { BackfillRequest } from "../../src/core/operations.ts";
import type { Rejection, SourceRecord } from "../../src/core/record.ts";
import type { PullSource } from "../../src/core/source.ts";

export const RECEIVED_AT = Date.parse("2026-11-24T12:00:00.000Z");

export interface ReadPage {
  readonly cursor: string;
  readonly skipped: number;
  readonly records: readonly SourceRecord[];
  readonly rejections: readonly Rejection[];
}

export interface ReadFile {
  readonly path: string;
  readonly about: string;
  readonly source: PullSource;
  readonly pages: readonly ReadPage[];
  readonly records: readonly SourceRecord[];
  readonly rejections: readonly Rejection[];
}

export interface Read extends Pick<ReadableFiles, "leftOut"> {
  readonly files: readonly ReadFile[];
  /** Of all files. */
  readonly records: readonly SourceRecord[];
  readonly rejections: readonly Rejection[];
}

type Asked = Partial<BackfillRequest> & Pick<BackfillRequest, "paths">;

/** `perPage`: rows of a page. `work`: looks at the files while they are there. */
export async function readFiles(
  asked: Asked,
  perPage = 500,
  work: (file: ReadFile) => Promise<void> = async () => undefined,
): Promise<Read> {
  const request = { source: "files", waitForDelivery: false, ...asked };
  const directory = await mkdtemp(join(tmpdir(), "prickle-unpacked-"));
  try {
    const { files: readable, leftOut } = await openBackfillFiles(request, directory);
    const mapping = { name: "none", file: "none.yaml", text: "" };
    const limits = { maxEvents: null, perSecond: perPage };
    const open = createFileOpener(request, {
      mapping,
      lanes: 1,
      receivedAt: RECEIVED_AT,
      mayUseThreads: false,
      ...limits,
    });
    const files: ReadFile[] = [];
    for (const file of readable) {
      const { path, about, everything: source } = open(file, false);
      const pages = await readPages(source);
      files.push({ path, about, source, pages, ...joined(pages) });
    }
    for (const file of files) await work(file);
    return { files, leftOut, ...joined(files) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

export async function readPages(source: PullSource, cursor: string | null = null): Promise<readonly ReadPage[]> {
  const pages: ReadPage[] = [];
  for await (const page of source.pages(cursor, new AbortController().signal)) {
    if (!("records" in page)) throw new Error("a thread was used");
    const { records, rejections, progress } = page;
    pages.push({ cursor: page.cursor, skipped: progress.skipped ?? 0, records, rejections });
  }
  return pages;
}

function joined(
  parts: readonly { readonly records: readonly SourceRecord[]; readonly rejections: readonly Rejection[] }[],
) {
  return {
    records: parts.flatMap(({ records }) => records),
    rejections: parts.flatMap(({ rejections }) => rejections),
  };
}
