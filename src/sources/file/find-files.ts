/** The files behind the paths somebody names: folders and zip files are looked into. */

import { readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { PrickleError } from "../../core/errors.ts";
import { sniffCompression } from "../../platform/files/compression.ts";
import { type FilePlace, nameOf, openFile, readAt, unreadable } from "../../platform/files/open-file.ts";
import { listZip } from "../../platform/files/zip.ts";

export interface FoundFile extends FilePlace {
  /** Bytes that are read of it. */
  readonly size: number;
  /** Named itself, rather than found in a folder or a zip file. */
  readonly isNamed: boolean;
}

export interface LeftOut {
  readonly path: string;
  readonly why: string;
}

export interface FoundFiles {
  readonly files: readonly FoundFile[];
  readonly leftOut: readonly LeftOut[];
}

/** What tools leave beside data; Segment's check of a bucket leaves the last. */
const NO_DATA = /^(?:[._].*|.*\.crc|dummy-object\.txt)$/;
const NATURAL = new Intl.Collator("en", { numeric: true });

/**
 * In the order named; within a folder or zip file by name, numbers by their value: Segment's folders of received days
 * begin with the oldest. Each file once.
 * @throws NOT_FOUND, INPUT_INVALID for what cannot be read, and where there is nothing
 */
export async function findFiles(paths: readonly string[]): Promise<FoundFiles> {
  const seen = new Set<string>();
  const leftOut: LeftOut[] = [];
  const files: FoundFile[] = [];
  for (const path of paths) {
    const isFolder = (await statOf(path)).isDirectory();
    for (const file of isFolder ? await walk(path, leftOut) : [path]) {
      const real = await realPathOf(file);
      if (seen.has(real)) leftOut.push({ path: file, why: "named twice" });
      else files.push(...(await filesAt(file, !isFolder, leftOut)));
      seen.add(real);
    }
  }
  if (files.length === 0) throw nothingIn(paths);
  return { files, leftOut };
}

async function walk(folder: string, leftOut: LeftOut[]): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw unreadable(folder, "read", cause);
  });
  const found: string[] = [];
  for (const name of names.sort(byName)) {
    const path = join(folder, name);
    if ((await statOf(path)).isDirectory()) continue;
    if (name.split(sep).some((part) => NO_DATA.test(part))) leftOut.push({ path, why: "no data by its name" });
    else found.push(path);
  }
  return found;
}

/** Folder by folder. */
function byName(one: string, other: string): number {
  const others = other.split(/[\\/]/);
  for (const [index, part] of one.split(/[\\/]/).entries()) {
    const against = others[index];
    if (against === undefined) return 1;
    const order = NATURAL.compare(part, against) || (part < against ? -1 : part > against ? 1 : 0);
    if (order !== 0) return order;
  }
  return -1;
}

async function filesAt(path: string, isNamed: boolean, leftOut: LeftOut[]): Promise<readonly FoundFile[]> {
  const opened = await openFile({ path });
  try {
    if (sniffCompression(await readAt(opened, 0, 4)) !== "zip") return [{ path, size: opened.size, isNamed }];
  } finally {
    await opened.file.close();
  }
  const entries = (await listZip(path)).toSorted((one, other) => byName(one.name, other.name));
  return entries.flatMap((entry) => {
    const isData = !entry.name.split("/").some((part) => NO_DATA.test(part) || part === "__MACOSX");
    if (!isData) leftOut.push({ path: nameOf({ path, entry }), why: "no data by its name" });
    return isData ? [{ path, entry, size: entry.size, isNamed: false }] : [];
  });
}

async function statOf(path: string) {
  return stat(path).catch((cause: unknown) => {
    throw unreadable(path, "read", cause);
  });
}

/** A file of a folder may be gone by now. */
async function realPathOf(path: string): Promise<string> {
  return realpath(path).catch((cause: unknown) => {
    throw unreadable(path, "read", cause);
  });
}

function nothingIn(paths: readonly string[]): PrickleError {
  return new PrickleError("NOT_FOUND", `There is no file of data in ${paths.join(", ")}.`, {
    hint: "Name files or folders of JSON lines, CSV or Parquet, each also in gzip, zstd or zip.",
  });
}
