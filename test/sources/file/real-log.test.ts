import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createFileSource, MAX_LINE_BYTES } from "../../../src/sources/file/file-source.ts";
import { createPageReader } from "../../../src/sources/file/visit-page.ts";
import { readLoggedCall } from "../../../src/sources/segment/raw-log.ts";

const path = fileURLToPath(new URL("../../../../shared/data/git-history.segment.jsonl.gz", import.meta.url));

// The data lies beside the checkout, so a lone clone has none.
describe.skipIf(!existsSync(path))("the real log of calls", () => {
  it("gives every line as a record, in order, and from a page in the middle just the rest", async () => {
    const receivedAt = Date.UTC(2026, 10, 23);
    const options = { path, source: "git", receivedAt, readLine: readLoggedCall, maxLineBytes: MAX_LINE_BYTES };
    const source = createFileSource({ path, source: "git", read: createPageReader(options) });
    const expected = gunzipSync(readFileSync(path))
      .toString()
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text));
    const read = async (cursor: string | null) => {
      const pages = [];
      for await (const page of source.pages(cursor, new AbortController().signal))
        if ("records" in page) pages.push(page);
      return pages;
    };
    const pages = await read(null);
    const records = pages.flatMap((page) => page.records);
    expect(records.map(({ payload }) => payload)).toEqual(expected);
    expect(records.every(({ occurredAt, payload }) => occurredAt === Date.parse(String(payload.timestamp)))).toBe(true);
    expect(pages.every(({ rejections }) => rejections.length === 0)).toBe(true);
    const half = Math.floor(pages.length / 2);
    expect(await read(pages[half]?.cursor ?? null)).toEqual(pages.slice(half + 1));
  });
});
