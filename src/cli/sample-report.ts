/** What became of the sample, asked of prickle itself: plain JSON, for `start --json` and for the page in the terminal. */

import type { Group, GroupType, TrendSeries } from "../core/analytics.ts";
import type { LedgerStatus } from "../core/ledger.ts";
import type { Operations } from "../core/operations.ts";
import type { RejectionReason } from "../core/record.ts";
import type { Played } from "./sample-player.ts";
import type { Sample } from "./sample-shipment.ts";

export interface SampleReport {
  readonly in: Pick<Sample, "calls" | "byType" | "byDoor"> & Played;
  /** Of this run: what the ledger counted after it, less what it counted before. */
  readonly out: SampleOutcome;
  readonly groupTypes: readonly GroupType[];
  readonly companies: { readonly total: number; readonly top: readonly Group[] };
  /** Companies with any event, by week. */
  readonly weeklyActive: TrendSeries["points"];
  readonly server: SampleServer;
}

export interface SampleServer {
  readonly url: string;
  readonly dataDir: string;
  /** The port that was asked for, when it was taken. */
  readonly busyPort: number | null;
  readonly source: string;
  readonly writeKey: string;
}

export interface SampleOutcome {
  readonly messages: number;
  readonly delivered: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly rejectedByReason: Readonly<Partial<Record<RejectionReason, number>>>;
  readonly dead: number;
  /** Events that gained a group, and group identifies that had nothing new. */
  readonly attributed: number;
  readonly saved: number;
  /** Everything had been delivered by an earlier run. */
  readonly playedBefore: boolean;
}

export interface SampleRun {
  readonly sample: Sample;
  readonly played: Played;
  readonly before: LedgerStatus;
  readonly after: LedgerStatus;
  readonly server: SampleServer;
}

const COMPANY = "company";
const TOP = 10;
/** More companies than the sample has. */
const ALL = 100;

export async function reportSample(operations: Operations, run: SampleRun): Promise<SampleReport> {
  const { calls, byType, byDoor } = run.sample;
  const [groupTypes, companies, weekly] = await Promise.all([
    operations.groupTypes(),
    operations.groups({ groupType: COMPANY, limit: ALL, offset: 0 }),
    operations.trends({ groupType: COMPANY, event: null, interval: "week", from: null, to: null, breakdown: null }),
  ]);
  return {
    in: { calls, byType, byDoor, ...run.played },
    out: outcomeBetween(run.before, run.after),
    groupTypes,
    companies: { total: companies.total, top: companies.groups.toSorted(byRevenue).slice(0, TOP) },
    weeklyActive: weekly.series[0]?.points ?? [],
    server: run.server,
  };
}

function outcomeBetween(before: LedgerStatus, after: LedgerStatus): SampleOutcome {
  const messages = after.committed - before.committed;
  return {
    messages,
    delivered: deliveredBy(after) - deliveredBy(before),
    duplicates: after.duplicates - before.duplicates,
    rejected: after.rejected - before.rejected,
    rejectedByReason: grownBy(before.rejectedByReason, after.rejectedByReason),
    dead: after.destinations.reduce((sum, { dead }) => sum + dead, 0),
    attributed: after.attributed - before.attributed,
    saved: after.saved - before.saved,
    playedBefore: messages === 0 && before.committed > 0,
  };
}

function deliveredBy({ destinations }: LedgerStatus): number {
  return destinations.reduce((sum, { delivered }) => sum + delivered, 0);
}

type Counts = SampleOutcome["rejectedByReason"];

function grownBy(before: Counts, after: Counts): Counts {
  const grown: Partial<Record<RejectionReason, number>> = {};
  for (const [reason, count] of Object.entries(after) as [RejectionReason, number][]) {
    const growth = count - (before[reason] ?? 0);
    if (growth > 0) grown[reason] = growth;
  }
  return grown;
}

function byRevenue(one: Group, other: Group): number {
  return revenueOf(other) - revenueOf(one) || one.name.localeCompare(other.name, "en");
}

function revenueOf({ properties }: Group): number {
  return typeof properties.mrr === "number" ? properties.mrr : 0;
}
