/** From the shipped file to the report: reads the sample, plays it, waits for its delivery, asks what became of it. */

import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Clock } from "../core/clock.ts";
import type { Operations } from "../core/operations.ts";
import { playSample, waitUntilDelivered } from "./sample-player.ts";
import { createSampleProgress } from "./sample-progress.ts";
import { reportSample, type SampleReport, type SampleServer } from "./sample-report.ts";
import { planSample } from "./sample-shipment.ts";

const SAMPLE = new URL("../../samples/plankton.segment.jsonl.gz", import.meta.url);

export interface RunSampleOptions {
  readonly operations: Operations;
  readonly server: SampleServer;
  readonly webhookSecret: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** @throws what `playSample` and `waitUntilDelivered` throw. */
export async function runSample(options: RunSampleOptions): Promise<SampleReport> {
  const { operations, server, webhookSecret, clock, signal } = options;
  const text = await promisify(gunzip)(await readFile(SAMPLE));
  const sample = planSample(text.toString(), { source: server.source, writeKey: server.writeKey, webhookSecret });
  const progress = createSampleProgress(sample.calls);
  try {
    const before = await operations.status();
    const played = await playSample(sample, { url: server.url, clock, signal, onProgress: progress.sent });
    const after = await waitUntilDelivered(operations, { clock, signal, onProgress: progress.waiting });
    return await reportSample(operations, { sample, played, before, after, server });
  } finally {
    progress.done();
  }
}
