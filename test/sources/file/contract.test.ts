import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { createFileSource, MAX_LINE_BYTES } from "../../../src/sources/file/file-source.ts";
import { createPageReader } from "../../../src/sources/file/visit-page.ts";
import { readLoggedCall } from "../../../src/sources/segment/raw-log.ts";
import { describePullSource } from "../../contracts/pull-source.ts";

const LINES = Array.from({ length: 100 }, (_, at) => {
  const call = { type: "track", event: "Seen", userId: `user ${at % 7}`, messageId: `m${at}` };
  return JSON.stringify({ ...call, timestamp: new Date(Date.UTC(2026, 0, 1, 0, at)).toISOString() });
}).join("\n");

const PACKED = [
  ["a file of calls", (text: string) => Buffer.from(text)],
  ["a gzip file of calls", (text: string) => gzipSync(text)],
  ["a zstd file of calls", (text: string) => zstdCompressSync(text)],
] as const;

for (const [name, pack] of PACKED) {
  describePullSource(name, async () => {
    const directory = await mkdtemp(join(tmpdir(), "prickle-file-"));
    const path = join(directory, "calls");
    await writeFile(path, pack(LINES));
    const reading = { path, source: "logs", receivedAt: Date.UTC(2026, 1, 1), maxLineBytes: MAX_LINE_BYTES };
    return {
      open: () =>
        createFileSource({
          ...{ path, source: "logs", pageLines: 9 },
          read: createPageReader({ ...reading, readLine: readLoggedCall }),
        }),
      close: () => rm(directory, { recursive: true, force: true }),
    };
  });
}
