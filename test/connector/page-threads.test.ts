/** A file read by threads of its own must come to what one thread makes of it, line for line. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import { openPageThreads, type PageThreads } from "../../src/connector/page-threads/open.ts";
import { createPageThread } from "../../src/connector/page-threads/thread.ts";
import { compileMapping } from "../../src/core/mapping/compile.ts";
import { portableMapping } from "../../src/core/mapping/portable.ts";
import { readParcel } from "../../src/core/parcel.ts";
import type { Rejection } from "../../src/core/record.ts";
import type { PullSource } from "../../src/core/source.ts";
import { createPrepare } from "../../src/pipeline/prepare.ts";
import type { RawPage } from "../../src/platform/files/slicer.ts";
import { createFileSource, MAX_LINE_BYTES } from "../../src/sources/file/file-source.ts";
import { createPageReader } from "../../src/sources/file/visit-page.ts";
import { readLoggedCall } from "../../src/sources/segment/raw-log.ts";
import { readMappingFile } from "../core/mapping/shipped.ts";
import { inventSegmentLog } from "../e2e/segment-log.ts";

const LANES = 64;
const MAPPING = { name: "segment", file: "segment.yaml", text: readMappingFile("segment.yaml") };
const PAGE_LINES = 37;
/** In the middle of the log: what is two days older is history. */
const RECEIVED_AT = Date.UTC(2025, 0, 14);
const threadOptions = () => ({
  path,
  source: "logs",
  receivedAt: RECEIVED_AT,
  rows: null,
  table: null,
  window: { from: null, to: null },
  mapping: portableMapping(MAPPING),
  lanes: LANES,
});
let directory: string;
let path: string;
let threads: PageThreads;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-threads-"));
  path = join(directory, "calls.jsonl.gz");
  const broken = `\n{"type":"track",\n${"x".repeat(MAX_LINE_BYTES + 1)}\n7\n`;
  const { text } = inventSegmentLog({ seed: 3, lines: 2_000 });
  await writeFile(path, gzipSync(`${text}${broken}${text.slice(0, 5_000)}`));
  threads = openPageThreads(threadOptions());
});
afterEach(async () => {
  await threads.close();
  await rm(directory, { recursive: true, force: true });
});

interface Read {
  readonly messages: ReturnType<typeof readParcel>[number][];
  readonly rejections: Rejection[];
  readonly cursors: string[];
}

async function readAll(source: PullSource, cursor: string | null = null): Promise<Read> {
  const prepare = createPrepare({ mapping: compileMapping(MAPPING), lanes: LANES, isBackfill: true });
  const read: Read = { messages: [], rejections: [], cursors: [] };
  for await (const page of source.pages(cursor, new AbortController().signal)) {
    const { parcels, rejections } = "parcels" in page ? page : prepare(page);
    read.messages.push(...parcels.flatMap(readParcel));
    read.rejections.push(...rejections);
    read.cursors.push(page.cursor);
    if ("release" in page) page.release();
  }
  return read;
}

const byThreads = () =>
  createFileSource({ path, source: "logs", pageLines: PAGE_LINES, read: threads.read, pagesAhead: threads.pagesAhead });

function byThisThread(): PullSource {
  const options = {
    path,
    source: "logs",
    receivedAt: RECEIVED_AT,
    readLine: readLoggedCall,
    maxLineBytes: MAX_LINE_BYTES,
  };
  return createFileSource({ path, source: "logs", pageLines: PAGE_LINES, read: createPageReader(options) });
}

it("gives the same messages, rejections and cursors in the same order", async () => {
  const alone = await readAll(byThisThread());
  const lanes = alone.messages.flatMap(({ messages }) => messages.map(({ lane }) => lane));
  expect([lanes.some((lane) => lane < LANES), lanes.some((lane) => lane >= LANES)]).toEqual([true, true]);
  expect(alone.messages.length).toBeGreaterThan(1_900);
  expect(alone.rejections.map(({ reason }) => reason)).toContain("call_too_large");
  expect(await readAll(byThreads())).toEqual(alone);
});

it("goes on from any cursor", async () => {
  const { cursors, messages } = await readAll(byThreads());
  const middle = cursors[20] ?? null;
  const rest = await readAll(byThreads(), middle);
  expect(messages.slice(-rest.messages.length)).toEqual(rest.messages);
  expect(rest.cursors).toEqual(cursors.slice(21));
});

it("stops when told, and fails what is under way when it is closed", async () => {
  const stop = new AbortController();
  let pages = 0;
  for await (const _ of byThreads().pages(null, stop.signal)) {
    pages += 1;
    stop.abort();
  }
  expect(pages).toBe(1);
  // So many processors that this thread reads nothing itself.
  const others = openPageThreads(threadOptions(), 3);
  const reading = others.read(onePage());
  await Promise.all([expect(reading).rejects.toMatchObject({ code: "INTERNAL" }), others.close()]);
});

it("ends with what made a thread fail, also when that was before it had anything to read", async () => {
  const broken = openPageThreads({ ...threadOptions(), mapping: null as never }, 3);
  onTestFinished(() => broken.close());
  for (let page = 0; page < 4; page++) {
    await expect(broken.read(onePage())).rejects.toMatchObject({
      code: "INTERNAL",
      message: expect.stringMatching(/null/),
    });
  }
}, 20_000);

it.each([
  ["before it is asked", "process.exit(3)"],
  ["when it is asked", 'require("node:worker_threads").parentPort.once("message", () => process.exit(3))'],
])(
  "fails what a thread has to read that ended without a word, %s",
  async (_, code) => {
    const thread = createPageThread(new Worker(code, { eval: true }));
    onTestFinished(() => thread.close());
    for (let page = 0; page < 3; page++) {
      await expect(thread.read(onePage())).rejects.toMatchObject({
        code: "INTERNAL",
        message: expect.stringContaining("code 3"),
      });
    }
    expect(thread.pages()).toBe(0);
  },
  20_000,
);

function onePage(): RawPage {
  return { bytes: new Uint8Array(Buffer.from("{}\n")), firstLine: 1, lines: 1, tooLong: [], length: 3 };
}
