/** Reads a raw log into a fresh ledger, as `prickle backfill` does, and tells how long it took and how much memory. */

import { parseConfig } from "../../src/config.ts";
import { openConnector } from "../../src/connector.ts";
import { createLogger } from "../../src/platform/logger.ts";
import type { FileResult } from "../backfill.ts";

const { path, dataDir }: { path: string; dataDir: string } = JSON.parse(process.argv[2] ?? "{}");
const config = parseConfig(
  { dataDir, destinations: { console: { type: "console" } }, ledger: { maxDepth: 1_000_000_000 } },
  { cwd: process.cwd() },
);
// Nothing is delivered, and the file is in the order of time: it is read once.
const connector = await openConnector(config, { logger: createLogger("warn") });
const { records, tookMs, complete } = await connector.operations.backfill(
  { paths: [path], source: "segment", waitForDelivery: false, isInOrder: true },
  () => undefined,
  new AbortController().signal,
);
await connector.close();
if (!complete) throw new Error("The file was not read to its end.");
const result: FileResult = { lines: records, tookMs, peakMegabytes: process.resourceUsage().maxRSS / 1024 };
console.log(JSON.stringify(result));
