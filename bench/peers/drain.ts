/** Empties an outbox into a sink, by prickle's delivery or by posthog-node, and tells how long it took. */

import { setTimeout as delay } from "node:timers/promises";
import { PostHog } from "posthog-node";
import type { Ledger, SettleOutcome } from "../../src/core/ledger.ts";
import type { OutboxMessage } from "../../src/core/message.ts";
import { createPosthogDestination } from "../../src/destinations/posthog/posthog.ts";
import { createDelivery } from "../../src/pipeline/deliver.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import type { DrainInput, DrainResult } from "../drain.ts";
import { BENCH_DESTINATION, openBenchLedger } from "./bench-ledger.ts";

const CONCURRENCY = 4;
const BATCH = 1000;
const MB = 1024 * 1024;

const { dataDir, sinkUrl, by, protocol }: DrainInput = JSON.parse(process.argv[2] ?? "{}");
const ledger = await openBenchLedger(dataDir);
const waitingMegabytes = process.memoryUsage.rss() / MB;
const startedAt = performance.now();
await (by === "prickle" ? drainByPrickle(ledger) : drainByPosthogNode(ledger));
const tookMs = performance.now() - startedAt;
// `maxRSS` is in KB.
const result: DrainResult = { tookMs, waitingMegabytes, peakMegabytes: process.resourceUsage().maxRSS / 1024 };
await ledger.close();
console.log(JSON.stringify(result));

async function drainByPrickle(ledger: Ledger): Promise<void> {
  const destination = createPosthogDestination({
    name: BENCH_DESTINATION,
    host: sinkUrl,
    token: "phc_bench",
    version: "bench",
    protocol,
    messagesPerDistinctIdPerSecond: null,
    messagesPerSecond: null,
    concurrency: CONCURRENCY,
    maxMessages: BATCH,
  });
  const delivery = createDelivery({
    ledger,
    destination,
    observer: createMetrics().observer,
    logger: createLogger("warn"),
    clock: systemClock,
    random: Math.random,
  });
  delivery.start();
  await delivery.idle();
  await delivery.stop(1000);
  await destination.close();
}

async function drainByPosthogNode(ledger: Ledger): Promise<void> {
  await Promise.all(Array.from({ length: CONCURRENCY }, () => drainByOneClient(ledger)));
}

/** What is claimed is settled only once the client has flushed it: as durable as prickle's own delivery. */
async function drainByOneClient(ledger: Ledger): Promise<void> {
  const options = { flushAt: 2 * BATCH, maxBatchSize: BATCH, maxQueueSize: 4 * BATCH };
  const posthog = new PostHog("phc_bench", { host: sinkUrl, ...options });
  const request = {
    destination: BENCH_DESTINATION,
    service: "live" as const,
    maxMessages: BATCH,
    maxBytes: 5_000_000,
    leaseMs: 60_000,
  };
  for (;;) {
    const claim = await ledger.claim(request);
    if (claim) {
      for (const message of claim.messages) capture(posthog, message);
      await posthog.flush();
      const delivered: SettleOutcome = { kind: "delivered" };
      await ledger.settle(
        claim.id,
        claim.messages.map(() => delivered),
      );
    } else {
      if ((await ledger.status()).depth === 0) break;
      await delay(1);
    }
  }
  await posthog.shutdown();
}

function capture(posthog: PostHog, { body }: OutboxMessage): void {
  const { event, distinct_id, uuid, timestamp, properties } = JSON.parse(Buffer.from(body).toString());
  posthog.capture({
    distinctId: distinct_id,
    event,
    uuid,
    timestamp: new Date(timestamp),
    properties,
    groups: properties.$groups,
  });
}
