import { expect, it } from "vitest";
import type { DestinationHealth } from "../../src/core/destination.ts";
import type { LedgerStatus } from "../../src/core/ledger.ts";
import type { SourceStatus } from "../../src/core/operations.ts";
import { EMPTY_RUN, type Run } from "../../src/core/runs.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { NO_COUNTS } from "../fakes/ledger-status.ts";

const NOW = Date.UTC(2026, 10, 1);

function status(oldestCommittedAt: number | null, depth: number): LedgerStatus {
  return {
    lanes: 64,
    destinations: [
      {
        name: "engine",
        depth,
        oldestCommittedAt,
        services: { live: { depth, oldestCommittedAt }, historical: { depth: 2 * depth, oldestCommittedAt: null } },
        nextDueAt: null,
        delivered: 0,
        retried: 0,
        dead: 0,
        waitingLanes: [],
      },
    ],
    depth,
    ...NO_COUNTS,
  };
}

const HEALTH: DestinationHealth = {
  name: "posthog",
  protocol: "v1",
  state: "blocked",
  reason: "PostHog answered 401",
  pausedUntil: NOW + 60_000,
  concurrency: 2,
  maxConcurrency: 4,
};

const sources = async (): Promise<readonly SourceStatus[]> => {
  const lastRun: Run = { ...EMPTY_RUN, source: "crm", kind: "full", startedAt: NOW, outcome: "partial" };
  const asked = { mapping: "m", schedule: null, isRunning: false };
  return [
    { ...asked, name: "crm", type: "hubspot", lastRun, lastCompleteAt: NOW - 5_000, rows: 12 },
    { ...asked, name: "segment", type: "segment", lastRun: null, lastCompleteAt: null, rows: null },
  ];
};

it("shows what the verbs told, by source, reason and destination, in seconds", async () => {
  const { observer, expose } = createMetrics();
  observer.received("segment", 5);
  observer.rejected("segment", "missing_user", 1);
  observer.rejected("segment", "missing_user", 1);
  observer.duplicated("segment", 1);
  observer.committed("segment", 3, 20);
  observer.delivered("engine", 2, 400);
  observer.retried("engine", 4, "503");
  observer.died("engine", 1, "event_too_big: it is", "event_too_big");
  observer.noted("engine", 3, "absent");

  const looks = { status: async () => status(NOW - 1_500, 7), sources, health: () => [HEALTH] };
  const { contentType, body } = await expose(looks, NOW);

  expect(contentType).toContain("text/plain");
  expect(body.split("\n")).toEqual(
    expect.arrayContaining([
      'prickle_received_total{source="segment"} 5',
      'prickle_rejected_total{source="segment",reason="missing_user"} 2',
      'prickle_duplicates_total{source="segment"} 1',
      'prickle_committed_total{source="segment"} 3',
      'prickle_delivered_total{destination="engine"} 2',
      'prickle_retried_total{destination="engine"} 4',
      'prickle_dead_total{destination="engine",reason="event_too_big"} 1',
      'prickle_noted_total{destination="engine",note="absent"} 3',
      'prickle_destination_state{destination="posthog",state="up"} 0',
      'prickle_destination_state{destination="posthog",state="blocked"} 1',
      'prickle_destination_protocol{destination="posthog",protocol="v1"} 1',
      'prickle_destination_concurrency{destination="posthog"} 2',
      'prickle_outbox_depth{destination="engine",service="live"} 7',
      'prickle_outbox_depth{destination="engine",service="historical"} 14',
      'prickle_outbox_oldest_age_seconds{destination="engine",service="live"} 1.5',
      'prickle_outbox_oldest_age_seconds{destination="engine",service="historical"} 0',
      'prickle_source_rows{source="crm"} 12',
      `prickle_sync_last_complete_timestamp_seconds{source="crm"} ${NOW / 1000 - 5}`,
      'prickle_sync_last_outcome{source="crm",outcome="partial"} 1',
      'prickle_sync_last_outcome{source="crm",outcome="complete"} 0',
      'prickle_commit_duration_seconds_bucket{le="0.01",source="segment"} 0',
      'prickle_commit_duration_seconds_bucket{le="0.025",source="segment"} 1',
      'prickle_delivery_duration_seconds_bucket{le="0.25",destination="engine"} 0',
      'prickle_delivery_duration_seconds_bucket{le="0.5",destination="engine"} 1',
    ]),
  );
});

it("says an age of 0 when nothing waits", async () => {
  const looks = { status: async () => status(null, 0), sources, health: () => [] };
  const { body } = await createMetrics().expose(looks, NOW);
  expect(body).toContain('prickle_outbox_oldest_age_seconds{destination="engine",service="live"} 0\n');
});
