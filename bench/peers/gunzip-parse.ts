/** The measure of backfills: gunzip with large chunks, split at line ends, JSON.parse, on one thread. */

import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import type { FileResult } from "../backfill.ts";

const { path }: { path: string } = JSON.parse(process.argv[2] ?? "{}");
const NEWLINE = 10;

const startedAt = performance.now();
let lines = 0;
let rest: Buffer = Buffer.alloc(0);
for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 }).pipe(
  createGunzip({ chunkSize: 1 << 20 }),
)) {
  const bytes: Buffer = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
  let from = 0;
  for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
    JSON.parse(bytes.toString("utf8", from, to));
    lines += 1;
    from = to + 1;
  }
  rest = bytes.subarray(from);
}
const result: FileResult = {
  lines,
  tookMs: performance.now() - startedAt,
  peakMegabytes: process.resourceUsage().maxRSS / 1024,
};
console.log(JSON.stringify(result));
