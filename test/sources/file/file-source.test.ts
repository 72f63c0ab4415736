import { hash } from "node:crypto";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PrickleError } from "../../../src/core/errors.ts";
import type { Page, PullSource } from "../../../src/core/source.ts";
import { createFileSource, type FileSourceOptions, MAX_LINE_BYTES } from "../../../src/sources/file/file-source.ts";
import { createPageReader, type ReadPageOptions } from "../../../src/sources/file/visit-page.ts";
import { readLoggedCall } from "../../../src/sources/segment/raw-log.ts";

const RECEIVED_AT = Date.parse("2026-11-23T12:00:00.000Z");
let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-file-"));
  path = join(directory, "calls.jsonl");
});
afterEach(() => rm(directory, { recursive: true }));

const line = (id: number | string, fields: object = {}) =>
  JSON.stringify({ type: "page", userId: "ü1", messageId: `m${id}`, timestamp: "2026-11-23T11:00:00.000Z", ...fields });
const lines = (count: number) => Array.from({ length: count }, (_, at) => `${line(at)}\n`).join("");

type Options = Omit<Partial<FileSourceOptions>, "read"> & Partial<Pick<ReadPageOptions, "readLine">>;

function open({ readLine = readLoggedCall, maxLineBytes = MAX_LINE_BYTES, ...options }: Options = {}): PullSource {
  const reading = { path, source: "logs", receivedAt: RECEIVED_AT, readLine, maxLineBytes };
  return createFileSource({ path, source: "logs", read: createPageReader(reading), maxLineBytes, ...options });
}

interface Read {
  readonly pages: readonly Page[];
  readonly ids: readonly string[];
  readonly rejections: Page["rejections"];
  readonly failure: unknown;
}

async function read(source: PullSource = open(), cursor: string | null = null): Promise<Read> {
  const pages: Page[] = [];
  let failure: unknown = null;
  try {
    for await (const page of source.pages(cursor, new AbortController().signal))
      if ("records" in page) pages.push(page);
  } catch (thrown) {
    failure = thrown;
  }
  const ids = pages.flatMap(({ records }) => records.map(({ id }) => id));
  return { pages, ids, rejections: pages.flatMap(({ rejections }) => rejections), failure };
}

async function readBytes(bytes: string | Uint8Array, options: Options = {}): Promise<Read> {
  await writeFile(path, bytes);
  return read(open(options));
}

const ids = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `m${from + at}`);
const lastCursor = ({ pages }: Read) => pages.at(-1)?.cursor ?? null;

describe("a file of calls", () => {
  it("gives the records of plain lines, of gzip under any name, and of several gzip members", async () => {
    expect((await readBytes(lines(3))).ids).toEqual(ids(3));
    expect((await readBytes(gzipSync(lines(3)))).ids).toEqual(ids(3));
    const members = [gzipSync(lines(2)), gzipSync(""), gzipSync(`${line(2)}\n${line(3)}`)];
    expect(await readBytes(Buffer.concat(members))).toMatchObject({ ids: ids(4), failure: null });
  });

  it("reads times as Segment's edge left them", async () => {
    const { pages } = await readBytes(
      line(0, { originalTimestamp: "2026-11-23T10:59:00.000Z", sentAt: "2026-11-23T10:59:05.000Z" }),
    );
    expect(pages[0]?.records[0]).toMatchObject({
      source: "logs",
      occurredAt: Date.parse("2026-11-23T11:00:00.000Z"),
      statedAt: Date.parse("2026-11-23T10:59:00.000Z"),
      receivedAt: RECEIVED_AT,
    });
  });

  it("takes a byte order mark, CRLF, blank lines and a last line without end", async () => {
    const { ids: found, rejections } = await readBytes(`\ufeff${line(0)}\r\n\r\n \n\n${line(1)}\r\n${line(2)}`);
    expect(found).toEqual(ids(3));
    expect(rejections).toEqual([]);
  });

  it("keeps lines that are broken or no call as rejections that name file and line", async () => {
    const { ids: found, rejections } = await readBytes(
      `${line(0)}\n\n{"type":"page",}\n${line(1, { userId: null })}\n[]\n${line(2)}\n`,
    );
    expect(found).toEqual(["m0", "m2"]);
    expect(rejections.map(({ reason, recordId }) => [reason, recordId])).toEqual([
      ["not_a_call", null],
      ["missing_user", "m1"],
      ["not_a_call", null],
    ]);
    expect(rejections[0]).toMatchObject({
      detail: `${path}:3: the line is not JSON: unreadable at character 16.`,
      payload: '{"type":"page",}',
    });
    expect(rejections[1]?.detail).toContain(`${path}:4: userId`);
  });

  it.each([1001, 700_000])(
    "lets go of a line of %i bytes where 1,000 are allowed, wherever it lies",
    async (length) => {
      const long = "x".repeat(length);
      for (const text of [`${long}\n${line(0)}\n`, `${line(0)}\n${long}\n`, `${line(0)}\n${long}`]) {
        const { ids: found, rejections } = await readBytes(text, { maxLineBytes: 1000 });
        expect(found).toEqual(["m0"]);
        expect(rejections).toMatchObject([{ reason: "call_too_large", payload: null }]);
        expect(rejections[0]?.detail).toMatch(/:[12]: the line has \d+ bytes; 1000 are allowed/);
      }
    },
  );

  it("ends a page by its number of records and by its bytes", async () => {
    expect((await readBytes(lines(25), { pageLines: 10 })).pages.map(({ records }) => records.length)).toEqual([
      10, 10, 5,
    ]);
    const large = `${line(0, { properties: { pad: "x".repeat(900_000) } })}\n`;
    const { pages } = await readBytes(large.repeat(5));
    expect(pages.map(({ records }) => records.length)).toEqual([3, 2]);
  });

  it("tells how far it is in records and bytes of the file", async () => {
    const bytes = gzipSync(lines(20));
    const { pages } = await readBytes(bytes, { pageLines: 15 });
    expect(pages.map(({ progress }) => progress.records)).toEqual([15, 20]);
    expect(pages.at(-1)?.progress).toEqual({ records: 20, bytes: bytes.length, totalBytes: bytes.length });
  });

  it("gives nothing for an empty file", async () => {
    for (const empty of ["", "\n\n", gzipSync("")])
      expect(await readBytes(empty)).toMatchObject({ pages: [], failure: null });
  });

  it("refuses a missing file and a directory", async () => {
    expect((await read()).failure).toMatchObject({ code: "NOT_FOUND" });
    expect((await read(open({ path: directory }))).failure).toMatchObject({ code: "INPUT_INVALID" });
    await writeFile(path, "");
    expect((await read(open({ path: join(path, "x") }))).failure).toMatchObject({ code: "NOT_FOUND" });
  });

  it("stops without error when told", async () => {
    await writeFile(path, lines(30));
    const stop = new AbortController();
    const pages: Page[] = [];
    for await (const page of open({ pageLines: 10 }).pages(null, stop.signal)) {
      if ("records" in page) pages.push(page);
      stop.abort();
    }
    expect(pages).toHaveLength(1);
  });

  it("stops when told although whoever reads its pages never answers", async () => {
    await writeFile(path, lines(100));
    const stop = new AbortController();
    const silent = () => {
      setImmediate(() => stop.abort());
      return new Promise<never>(() => undefined);
    };
    const source = createFileSource({ path, source: "log", pageLines: 10, read: silent });
    let pages = 0;
    for await (const _ of source.pages(null, stop.signal)) pages += 1;
    expect(pages).toBe(0);
  }, 10_000);
});

describe("a damaged gzip file", () => {
  const text = Array.from({ length: 200 }, (_, at) => `${line(at, { properties: { noise: Math.sin(at) } })}\n`).join(
    "",
  );

  it("gives every whole line before the cut, then says where it ends", async () => {
    const whole = gzipSync(text);
    for (const keep of [whole.length - 1, whole.length - 9, Math.floor(whole.length / 2), 200, 12, 3]) {
      const { ids: found, failure } = await readBytes(whole.subarray(0, keep));
      expect(failure).toMatchObject({
        code: "INPUT_INVALID",
        message: `${path}: the gzip data ends too early, at byte ${keep}.`,
      });
      expect(found).toEqual(ids(found.length));
      if (keep >= whole.length - 9) expect(found.length).toBeGreaterThanOrEqual(199);
      else if (keep > 1000) expect(found.length).toBeGreaterThan(50);
    }
  });

  it("is resumed once the whole file has come", async () => {
    const whole = gzipSync(text);
    const cut = await readBytes(whole.subarray(0, whole.length - 100));
    expect(cut.ids.length).toBeGreaterThan(0);
    await writeFile(path, whole);
    const rest = await read(open(), lastCursor(cut));
    expect([...cut.ids, ...rest.ids]).toEqual(ids(200));
  });

  it("is refused as damaged when bytes are wrong, having given lines up to near the damage", async () => {
    const noise = (at: number) => hash("sha512", String(at));
    const large = gzipSync(
      Array.from({ length: 4000 }, (_, at) => `${line(at, { properties: { noise: noise(at) } })}\n`).join(""),
    );
    const flipped = Buffer.from(large);
    flipped.fill(0x55, large.length - 2000, large.length - 1900);
    for (const bytes of [Buffer.concat([large, Buffer.from("garbage")]), flipped]) {
      const { ids: found, failure } = await readBytes(bytes);
      expect(failure).toMatchObject({ code: "INPUT_INVALID" });
      expect(String(failure)).toContain("damaged near byte");
      expect(found).toEqual(ids(found.length));
      expect(found.length).toBeGreaterThan(100);
    }
  });
});

describe("resuming a file", () => {
  it("gives from the cursor of any page exactly what followed, plain or gzip", async () => {
    const piece = fc.oneof(
      fc.constantFrom("", " ", "\r", "{", "[]", "x".repeat(300), line("ü"), `${line("b")}\r`),
      fc.nat(9).map((id) => line(id)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.boolean(),
        async (pieces, pageLines, zipped, ended) => {
          const text = pieces.join("\n") + (ended ? "\n" : "");
          const options = { pageLines, maxLineBytes: 250 };
          const { pages, failure } = await readBytes(zipped ? gzipSync(text) : text, options);
          expect(failure).toBeNull();
          for (const [at, { cursor }] of pages.entries()) {
            const rest = await read(open(options), cursor);
            expect(rest.failure).toBeNull();
            const withoutBytes = ({ progress, ...page }: Page) => ({ ...page, seen: progress.records });
            const seen = pages[at]?.progress.records;
            const atTheEnd = expect.objectContaining({ records: [], rejections: [], seen });
            const followed = pages.slice(at + 1).map(withoutBytes);
            expect(rest.pages.map(withoutBytes)).toEqual(followed.length > 0 ? followed : [atTheEnd]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("goes on with what was appended, line or gzip member", async () => {
    const plain = await readBytes(lines(3));
    await appendFile(path, `${line(3)}\n`);
    expect((await read(open(), lastCursor(plain))).ids).toEqual(["m3"]);
    const zipped = await readBytes(gzipSync(lines(3)));
    await appendFile(path, gzipSync(`${line(3)}\n`));
    expect((await read(open(), lastCursor(zipped))).ids).toEqual(["m3"]);
  });

  it("goes on after a last line that had no end, if a new line follows", async () => {
    const done = await readBytes(line(0));
    await appendFile(path, `\n${line(1)}\n`);
    expect((await read(open(), lastCursor(done))).ids).toEqual(["m1"]);
  });

  it.each<[string, (text: string) => string]>([
    ["is shorter", (text) => text.slice(0, -10)],
    ["begins otherwise", (text) => text.replace("m0", "n0")],
    ["ends otherwise", (text) => text.replace("m29", "n29")],
    ["went on in its last line", (text) => `${text}x`],
  ])("refuses a file that %s", async (_name, change) => {
    const text = lines(30).trimEnd();
    const done = await readBytes(text, { pageLines: 10 });
    await writeFile(path, change(text));
    expect(await read(open(), lastCursor(done))).toMatchObject({ ids: [], failure: { code: "INPUT_CHANGED" } });
  });

  it("refuses a cursor it did not write", async () => {
    await writeFile(path, lines(3));
    for (const cursor of ["", "x", "{}", '{"v":2}', "null"]) {
      expect((await read(open(), cursor)).failure).toMatchObject({ code: "INPUT_INVALID" });
    }
  });

  it("has a checkpoint of its own for each source and file", () => {
    const names = [open(), open({ source: "other" }), open({ path: `${path}2` })].map(
      ({ checkpointName }) => checkpointName,
    );
    expect(new Set(names).size).toBe(3);
  });
});

describe("a hostile file", () => {
  it("raises nothing but PrickleErrors, whatever the bytes", async () => {
    const prefix = fc.constantFrom(
      "",
      "\x1f\x8b",
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
      "{",
      '{"type":"page"}\n',
    );
    await fc.assert(
      fc.asyncProperty(prefix, fc.uint8Array({ maxLength: 300 }), async (head, tail) => {
        const { failure } = await readBytes(Buffer.concat([Buffer.from(head, "latin1"), tail]));
        return failure === null || (failure instanceof PrickleError && failure.status < 500);
      }),
      { numRuns: 100 },
    );
  });

  it("keeps a line that nests too deeply so that it can be written again", async () => {
    const { rejections } = await readBytes(`{"a":${"[".repeat(90_000)}${"]".repeat(90_000)}}\n`);
    expect(rejections).toMatchObject([{ reason: "invalid_field" }]);
    expect(() => JSON.stringify(rejections)).not.toThrow();
  });
});
