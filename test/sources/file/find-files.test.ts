/** The files behind paths: folders and zip files are looked into, in an order that does not depend on the disk. */

import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import yazl from "yazl";
import { nameOf } from "../../../src/platform/files/open-file.ts";
import { findFiles } from "../../../src/sources/file/find-files.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-find-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function write(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "{}\n");
  }
}

async function find(...paths: readonly string[]) {
  const { files, leftOut } = await findFiles(paths.map((path) => join(directory, path)));
  const shown = (path: string) => path.slice(directory.length + 1);
  return {
    files: files.map((file) => shown(nameOf(file))),
    leftOut: leftOut.map(({ path, why }) => `${shown(path)}: ${why}`),
    named: files.map(({ isNamed }) => isNamed),
  };
}

it("goes through folders of received days from the oldest on, and through names by their numbers", async () => {
  const days = ["segment-logs/s1/999000000000", "segment-logs/s1/1761868800000", "segment-logs/s1/1761955200000"];
  await write(`${days[2]}/a.gz`, `${days[1]}/part-10.gz`, `${days[1]}/part-9.gz`, `${days[0]}/z.gz`);
  const expected = [`${days[0]}/z.gz`, `${days[1]}/part-9.gz`, `${days[1]}/part-10.gz`, `${days[2]}/a.gz`];
  expect(await find("segment-logs")).toEqual({ files: expected, leftOut: [], named: expected.map(() => false) });
});

it("leaves out what tools leave beside data, and says so", async () => {
  await write("logs/dummy-object.txt", "logs/1/a.gz", "logs/1/.a.gz.crc", "logs/1/_SUCCESS", "logs/.git/config");
  const { files, leftOut } = await find("logs");
  expect(files).toEqual(["logs/1/a.gz"]);
  expect(leftOut.map((line) => line.split(":")[0])).toEqual(
    ["logs/.git/config", "logs/1/_SUCCESS", "logs/1/.a.gz.crc", "logs/dummy-object.txt"].sort(
      (one, other) => leftOut.findIndex((l) => l.startsWith(one)) - leftOut.findIndex((l) => l.startsWith(other)),
    ),
  );
  expect(leftOut).toHaveLength(4);
  // Named itself it is wanted.
  expect(await find("logs/dummy-object.txt")).toMatchObject({ files: ["logs/dummy-object.txt"], named: [true] });
});

it("takes each file once, in the order named, also by another way to it", async () => {
  await write("b/1", "a/1", "a/2");
  await symlink(join(directory, "a"), join(directory, "same"));
  const { files, leftOut } = await find("b", "a/2", "a", "b", "same");
  expect(files).toEqual(["b/1", "a/2", "a/1"]);
  expect(leftOut).toEqual(["a/2: named twice", "b/1: named twice", "same/1: named twice", "same/2: named twice"]);
});

it("gives the files of a zip file in the order of their names", async () => {
  const zip = new yazl.ZipFile();
  for (const name of ["x/part-10.csv", "x/part-2.csv", "__MACOSX/x/._part-2.csv", ".DS_Store"]) {
    zip.addBuffer(Buffer.from("a,b\n"), name);
  }
  zip.addEmptyDirectory("empty");
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(join(directory, "export.dat")));
  const { files, leftOut, named } = await find("export.dat");
  expect(files).toEqual(["export.dat/x/part-2.csv", "export.dat/x/part-10.csv"]);
  expect(leftOut).toHaveLength(2);
  expect(named).toEqual([false, false]);
});

it.each([
  ["nowhere", "NOT_FOUND", /There is no file .*nowhere/],
  ["empty", "NOT_FOUND", /There is no file of data in .*empty/],
])("says that there is nothing: %s", async (name, code, message) => {
  await mkdir(join(directory, "empty"));
  await expect(find(name)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});
