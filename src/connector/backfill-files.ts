/** The files of a backfill: found, looked into, and how each is to be read. */

import { join } from "node:path";
import { IANAZone } from "luxon";
import { PrickleError } from "../core/errors.ts";
import type { BackfillRequest } from "../core/operations.ts";
import { nameOf, openFile } from "../platform/files/open-file.ts";
import { type FoundFile, findFiles, type LeftOut } from "../sources/file/find-files.ts";
import { type Examined, examineFile, type Layout } from "../sources/file/layout.ts";
import type { Table } from "../sources/file/read-rows.ts";
import { findColumn, guessForm, idColumnOf, timeColumnOf } from "../sources/file/row-columns.ts";
import { nameIn, namesOf, ROW_FORMS, type RowForm } from "../sources/file/row-names.ts";
import type { RowReading } from "../sources/file/row-reader.ts";
import { ENCODINGS } from "../sources/file/text-encoding.ts";
import { aboutFile } from "./about-file.ts";

export interface ReadableFile {
  readonly found: FoundFile;
  /** As it is told to people. */
  readonly name: string;
  readonly about: string;
  readonly layout: Layout;
  readonly table: Table | null;
  readonly rows: RowReading | null;
}

export interface ReadableFiles {
  readonly files: readonly ReadableFile[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * Every file is looked into before the first is read. Those that somebody named have to be data; of what lies in folders
 * and zip files the rest is left out. `directory`: for what has to be unpacked.
 * @throws USAGE, NOT_FOUND, INPUT_INVALID
 */
export async function openBackfillFiles(request: BackfillRequest, directory: string): Promise<ReadableFiles> {
  const asked = askedOf(request);
  const { files: found, leftOut } = await findFiles(request.paths);
  const files: ReadableFile[] = [];
  const others: LeftOut[] = [...leftOut];
  for (const [index, one] of found.entries()) {
    try {
      files.push(await look(one, asked, join(directory, `${index}.parquet`)));
    } catch (thrown) {
      const isNoData = thrown instanceof PrickleError && thrown.code === "INPUT_INVALID" && thrown.cause === undefined;
      if (one.isNamed || !isNoData) throw thrown;
      others.push({ path: nameOf(one), why: thrown.message });
    }
  }
  if (files.length > 0) return { files, leftOut: others };
  const why = others.map((one) => `${one.path}: ${one.why}`).join("; ");
  throw new PrickleError("NOT_FOUND", `There is no file of data in ${request.paths.join(", ")} (${why}).`, {
    hint: "Name files or folders of JSON lines, CSV or Parquet, each also in gzip, zstd or zip.",
  });
}

type Asked = Pick<BackfillRequest, "idColumn" | "timeColumn" | "zone"> & {
  readonly form: RowForm | undefined;
  readonly encoding: (typeof ENCODINGS)[number] | undefined;
};

function askedOf({ form, encoding, zone, idColumn, timeColumn }: BackfillRequest): Asked {
  if (zone !== undefined && !IANAZone.isValidZone(zone)) {
    throw new PrickleError("USAGE", `found the zone ${JSON.stringify(zone)}; a name such as Europe/Berlin is allowed`);
  }
  return {
    form: oneOf(ROW_FORMS, form, "as"),
    encoding: oneOf(ENCODINGS, encoding?.toLowerCase(), "encoding"),
    zone,
    idColumn,
    timeColumn,
  };
}

function oneOf<One extends string>(allowed: readonly One[], found: string | undefined, option: string) {
  if (found === undefined) return undefined;
  const one = allowed.find((each) => each === found);
  if (one !== undefined) return one;
  throw new PrickleError("USAGE", `--${option}: found ${JSON.stringify(found)}; ${allowed.join(", ")} are allowed`);
}

async function look(found: FoundFile, asked: Asked, unpackedPath: string): Promise<ReadableFile> {
  const opened = await openFile(found);
  try {
    const { encoding } = asked;
    const examined = await examineFile(opened, { encoding, temporaryPath: () => unpackedPath });
    return { found, name: opened.path, ...readingOf(opened.path, examined, asked) };
  } finally {
    await opened.file.close();
  }
}

function readingOf(path: string, { layout, columns, first }: Examined, asked: Asked) {
  const found = columns ?? Object.keys(first ?? {});
  const form = asked.form ?? (columns === null && first === null ? "segment" : guessForm(found, first));
  const names = namesOf(found, form);
  const table =
    layout.format === "table"
      ? { delimiter: layout.delimiter, names, guessesEncoding: !layout.isEncodingSaid && layout.encoding === "utf-8" }
      : null;
  const rows =
    form === "segment" ? null : rowsOf(path, { form, found, isOpen: columns === null, isNamed: table !== null, asked });
  const originalOf = (name: string | null) => (name === null ? null : (found[names.indexOf(name)] ?? name));
  const about = aboutFile({ layout, form, rows, originalOf });
  return { layout, table, rows, about };
}

interface RowsAsked {
  readonly form: RowReading["form"];
  /** Names of the columns in the file; `isOpen`: other records may have others. */
  readonly found: readonly string[];
  readonly isOpen: boolean;
  readonly isNamed: boolean;
  readonly asked: Asked;
}

function rowsOf(path: string, { form, found, isOpen, isNamed, asked }: RowsAsked): RowReading {
  const names = namesOf(found, form);
  const named = (column: string | undefined, usual: string | null) => {
    if (column === undefined) return usual;
    const known = findColumn(found, column);
    if (known !== null) return names[found.indexOf(known)] ?? known;
    if (isOpen) return nameIn(form, column);
    throw new PrickleError(
      "USAGE",
      `${path}: found no column ${JSON.stringify(column)}; there are ${found.join(", ")}.`,
    );
  };
  const isApi = form === "hubspot" && found.includes("properties");
  return {
    form,
    idColumn: named(asked.idColumn, isApi ? "id" : idColumnOf(names)),
    timeColumn: named(asked.timeColumn, isApi ? "updatedAt" : timeColumnOf(names, form)),
    zone: asked.zone ?? null,
    isNamed,
  };
}
