/** What prickle counts, by prom-client: fed by the verbs through `Observer`, read by `/metrics`. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { LedgerStatus } from "../core/ledger.ts";
import type { Observer } from "../core/observer.ts";
import type { SourceStatus } from "../core/operations.ts";
import { SERVICES } from "../core/service.ts";

export interface Metrics {
  readonly observer: Observer;
  /** The text a Prometheus server reads; what is not counted is looked up. */
  expose(looks: MetricsLooks, now: number): Promise<MetricsPage>;
}

export interface MetricsLooks {
  readonly status: () => Promise<LedgerStatus>;
  readonly sources: () => Promise<readonly SourceStatus[]>;
}

export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

const OUTCOMES = ["complete", "partial", "failed"] as const;

/** Seconds: from a flush on a fast disk to a peer that hangs. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Histogram({ name, help, labelNames, buckets: BUCKETS, registers });

  const received = counter("prickle_received_total", "Records taken in, refused ones included", ["source"]);
  const rejected = counter("prickle_rejected_total", "Records or outputs refused", ["source", "reason"]);
  const duplicates = counter("prickle_duplicates_total", "Records seen before", ["source"]);
  const committed = counter("prickle_committed_total", "Messages put on disk", ["source"]);
  const delivered = counter("prickle_delivered_total", "Messages delivered", ["destination"]);
  const retried = counter("prickle_retried_total", "Failed attempts that are made again", ["destination"]);
  const dead = counter("prickle_dead_total", "Messages given up", ["destination"]);
  const commitTime = histogram("prickle_commit_duration_seconds", "Wait for the disk per request", ["source"]);
  const deliveryTime = histogram("prickle_delivery_duration_seconds", "Time of one delivery", ["destination"]);
  const depth = new Gauge({
    name: "prickle_outbox_depth",
    help: "Messages waiting, by service: live, or historical for what a backfill brings of long ago",
    labelNames: ["destination", "service"],
    registers,
  });
  const oldest = new Gauge({
    name: "prickle_outbox_oldest_age_seconds",
    help: "Age of the oldest waiting message; 0 if none waits",
    labelNames: ["destination", "service"],
    registers,
  });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Gauge({ name, help, labelNames, registers });
  const rows = gauge("prickle_source_rows", "Rows of a source that is asked, as far as they are known", ["source"]);
  const lastComplete = gauge(
    "prickle_sync_last_complete_timestamp_seconds",
    "Begin of the last sync that got to its end",
    ["source"],
  );
  const lastOutcome = gauge("prickle_sync_last_outcome", "1 for how the last sync ended", ["source", "outcome"]);

  return {
    observer: {
      received: (source, records) => received.inc({ source }, records),
      rejected: (source, reason, records) => rejected.inc({ source, reason }, records),
      duplicated: (source, records) => duplicates.inc({ source }, records),
      committed: (source, messages, waitedMs) => {
        committed.inc({ source }, messages);
        commitTime.observe({ source }, waitedMs / 1000);
      },
      delivered: (destination, messages, tookMs) => {
        delivered.inc({ destination }, messages);
        deliveryTime.observe({ destination }, tookMs / 1000);
      },
      retried: (destination, messages) => retried.inc({ destination }, messages),
      died: (destination, messages) => dead.inc({ destination }, messages),
    },
    async expose({ status, sources }, now) {
      for (const { name: source, rows: live, lastRun, lastCompleteAt } of await sources()) {
        if (live === null) continue;
        rows.set({ source }, live);
        if (lastCompleteAt !== null) lastComplete.set({ source }, lastCompleteAt / 1000);
        for (const outcome of OUTCOMES) lastOutcome.set({ source, outcome }, lastRun?.outcome === outcome ? 1 : 0);
      }
      for (const { name: destination, services } of (await status()).destinations) {
        for (const service of SERVICES) {
          const { depth: waiting, oldestCommittedAt } = services[service];
          depth.set({ destination, service }, waiting);
          const ageMs = oldestCommittedAt === null ? 0 : Math.max(0, now - oldestCommittedAt);
          oldest.set({ destination, service }, ageMs / 1000);
        }
      }
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
