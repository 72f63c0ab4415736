/** What prickle counts, by prom-client: fed by the verbs through `Observer`, read by `/metrics`. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { DestinationHealth } from "../core/destination.ts";
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
  readonly health: () => readonly DestinationHealth[];
}

export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

const OUTCOMES = ["complete", "partial", "failed"] as const;

/** Seconds: from a flush on a fast disk to a peer that hangs. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];

const STATES: readonly DestinationHealth["state"][] = ["up", "probing", "blocked"];

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
  const mended = counter("prickle_mended_total", "Messages put right when they were made", ["source", "reason"]);
  const committed = counter("prickle_committed_total", "Messages put on disk", ["source"]);
  const delivered = counter("prickle_delivered_total", "Messages delivered", ["destination"]);
  const retried = counter("prickle_retried_total", "Failed attempts that are made again", ["destination"]);
  const dead = counter("prickle_dead_total", "Messages given up", ["destination", "reason"]);
  const noted = counter("prickle_noted_total", "Messages delivered with a note", ["destination", "note"]);
  const commitTime = histogram("prickle_commit_duration_seconds", "Wait for the disk per request", ["source"]);
  const deliveryTime = histogram("prickle_delivery_duration_seconds", "Time of one delivery", ["destination"]);
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Gauge({ name, help, labelNames, registers });
  const depth = gauge(
    "prickle_outbox_depth",
    "Messages waiting, by service: live, or historical for what a backfill brings of long ago",
    ["destination", "service"],
  );
  const oldest = gauge("prickle_outbox_oldest_age_seconds", "Age of the oldest waiting message; 0 if none waits", [
    "destination",
    "service",
  ]);
  const state = gauge("prickle_destination_state", "1 for the state it is in: up, probing, blocked", [
    "destination",
    "state",
  ]);
  const protocol = gauge("prickle_destination_protocol", "1 for the protocol in use", ["destination", "protocol"]);
  const concurrency = gauge("prickle_destination_concurrency", "Requests that may be in flight now", ["destination"]);
  const rows = gauge("prickle_source_rows", "Rows of a source that is asked, as far as they are known", ["source"]);
  const lastComplete = gauge(
    "prickle_sync_last_complete_timestamp_seconds",
    "Begin of the last sync that got to its end",
    ["source"],
  );
  const lastOutcome = gauge("prickle_sync_last_outcome", "1 for how the last sync ended", ["source", "outcome"]);

  function showHealth(health: readonly DestinationHealth[]): void {
    protocol.reset();
    for (const { name: destination, state: its, ...one } of health) {
      for (const name of STATES) state.set({ destination, state: name }, name === its ? 1 : 0);
      concurrency.set({ destination }, one.concurrency);
      if (one.protocol !== null) protocol.set({ destination, protocol: one.protocol }, 1);
    }
  }

  return {
    observer: {
      received: (source, records) => received.inc({ source }, records),
      rejected: (source, reason, records) => rejected.inc({ source, reason }, records),
      duplicated: (source, records) => duplicates.inc({ source }, records),
      mended: (source, reason, messages) => mended.inc({ source, reason }, messages),
      committed: (source, messages, waitedMs) => {
        committed.inc({ source }, messages);
        commitTime.observe({ source }, waitedMs / 1000);
      },
      delivered: (destination, messages, tookMs) => {
        delivered.inc({ destination }, messages);
        deliveryTime.observe({ destination }, tookMs / 1000);
      },
      retried: (destination, messages) => retried.inc({ destination }, messages),
      died: (destination, messages, _, code) => dead.inc({ destination, reason: code }, messages),
      noted: (destination, messages, code) => noted.inc({ destination, note: code }, messages),
    },
    async expose({ status, sources, health }, now) {
      showHealth(health());
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
