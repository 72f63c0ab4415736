/** The syncs of sources that hold rows: one at a time of each, by hand or by schedule. */

import type { PullSourceConfig, SourceConfig } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import { PrickleError, toPrickleError } from "../core/errors.ts";
import type { Ledger } from "../core/ledger.ts";
import type { Logger } from "../core/observer.ts";
import type { Operations, SourceStatus, SyncRequest, SyncSummary } from "../core/operations.ts";
import type { RowSource } from "../core/row-source.ts";
import type { Run } from "../core/runs.ts";
import type { Ingest } from "../pipeline/ingest.ts";
import { pullRows } from "../pipeline/rows/pull-rows.ts";
import { syncRows } from "../pipeline/rows/sync-rows.ts";
import { nextRuns, runSchedule, type ScheduledSource } from "../pipeline/schedule.ts";
import { untilDelivered } from "../pipeline/until-delivered.ts";
import { type OpenRowSource, rowDigest } from "./row-sources.ts";

export interface SyncParts {
  readonly sources: readonly SourceConfig[];
  readonly ledger: Ledger;
  readonly ingestOf: (source: string) => Ingest;
  /** Into a rehearsal of the ledger. */
  readonly rehearsingIngestOf: (source: string, ledger: Pick<Ledger, "lanes" | "commit">) => Ingest;
  readonly open: OpenRowSource;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
}

export interface Syncs extends Pick<Operations, "sources" | "runs" | "sync" | "startSync"> {
  /** Begins syncs when they are due. */
  startSchedule(): void;
  /** Resolves when no sync is under way any more, once `stopping` was aborted; closes the sources. */
  close(): Promise<void>;
}

const RUNS_SHOWN = 3;
const RUNS_LOOKED_THROUGH = 100;

export function createSyncs(parts: SyncParts): Syncs {
  const { sources, ledger, clock, logger, stopping } = parts;
  const pulled = sources.flatMap((source) => (source.type === "pull" ? [source] : []));
  const opened = new Map<string, RowSource>();
  const running = new Map<string, Promise<unknown>>();
  let schedule: Promise<void> = Promise.resolve();

  async function rowsOf(source: PullSourceConfig): Promise<RowSource> {
    const rows = opened.get(source.name) ?? (await parts.open(source));
    opened.set(source.name, rows);
    return rows;
  }

  /** At once, before anything is awaited, so that two cannot begin. */
  function begin<Result>(source: string, work: (config: PullSourceConfig) => Promise<Result>): Promise<Result> {
    const config = pulled.find(({ name }) => name === source);
    if (!config) throw notAsked(source, parts.sources);
    if (running.has(source)) throw alreadyRunning(source);
    const result = work(config).finally(() => running.delete(source));
    running.set(
      source,
      result.catch(() => undefined),
    );
    return result;
  }

  async function carryOut(
    config: PullSourceConfig,
    request: SyncRequest,
    observe: (run: Run) => void,
    signal: AbortSignal,
  ) {
    await using after = new AsyncDisposableStack();
    const rehearsal = request.isDryRun ? await ledger.rehearse() : null;
    if (rehearsal) after.defer(() => rehearsal.close());
    const { name } = config;
    const pull = pullRows({
      ...config,
      ...request,
      source: name,
      rows: await rowsOf(config),
      memory: ledger,
      digest: rowDigest(config),
      clock,
      isRehearsal: rehearsal !== null,
    });
    const { run, failure } = await syncRows(
      {
        source: name,
        pull,
        ingest: rehearsal
          ? parts.rehearsingIngestOf(name, { lanes: ledger.lanes, ...rehearsal })
          : parts.ingestOf(name),
        ledger: rehearsal ? forgetful(ledger) : ledger,
        clock,
        maxMessages: request.maxEvents ?? config.maxEventsPerRun,
        kind: request.isFull ? "full" : "changes",
      },
      observe,
      AbortSignal.any([signal, stopping]),
    );
    return { run, failure, dryRun: rehearsal ? await rehearsal.summary() : null };
  }

  async function sync(request: SyncRequest, observe: (run: Run) => void, signal: AbortSignal): Promise<SyncSummary> {
    const work = (config: PullSourceConfig) => carryOut(config, request, observe, signal);
    const { run, failure, dryRun } = await begin(request.source, work);
    if (failure) throw failure;
    const stopped = AbortSignal.any([signal, stopping]);
    if (request.waitForDelivery && !dryRun) await untilDelivered(ledger, clock, () => undefined, stopped);
    return { run, dryRun };
  }

  function scheduled({ name, schedule: timetable }: PullSourceConfig): readonly ScheduledSource[] {
    if (!timetable) return [];
    return [
      {
        source: name,
        timetable,
        lastRun: async () => {
          const [last] = await ledger.runs({ source: name, limit: 1 });
          return last ? { startedAt: last.startedAt, isComplete: last.outcome === "complete" } : null;
        },
        async run(signal) {
          if (running.has(name)) return null;
          return sync({ source: name }, () => undefined, signal).then(() => null, toPrickleError);
        },
      },
    ];
  }

  async function statusOf(source: SourceConfig): Promise<SourceStatus> {
    const { name, mapping } = source;
    const shared = { name, mapping: mapping.file };
    if (source.type !== "pull") {
      const none = { schedule: null, isRunning: false, lastRun: null, lastCompleteAt: null, rows: null };
      return { ...shared, type: source.type, ...none };
    }
    const { schedule: timetable, settings } = source;
    const runs = await ledger.runs({ source: name, limit: RUNS_LOOKED_THROUGH });
    const lastCompleteAt = runs.find(({ outcome }) => outcome === "complete")?.startedAt ?? null;
    const { live } = await ledger.countRows({ source: name, before: 0 });
    const next = timetable ? { ...timetable, nextRuns: nextRuns(timetable, clock.now(), RUNS_SHOWN) } : null;
    return {
      ...shared,
      type: settings.type,
      schedule: next,
      isRunning: running.has(name),
      lastRun: runs[0] ?? null,
      lastCompleteAt,
      rows: live,
    };
  }

  return {
    sources: () => Promise.all(sources.map(statusOf)),
    runs: ledger.runs,
    sync,
    async startSync(request) {
      const { source } = request;
      begin(source, (config) => carryOut(config, request, () => undefined, stopping)).then(
        ({ failure }) => failure && logger.warn({ source, error: failure }, "A sync did not get to its end"),
        (thrown: unknown) => logger.error({ source, error: toPrickleError(thrown) }, "A sync failed"),
      );
      return { source };
    },
    startSchedule() {
      schedule = runSchedule(pulled.flatMap(scheduled), parts, stopping);
    },
    async close() {
      await schedule;
      await Promise.all(running.values());
      await Promise.all([...opened.values()].map((rows) => rows.close()));
    },
  };
}

/** A dry run begins where the next run would, and leaves nothing. */
function forgetful({ checkpoint }: Ledger): Pick<Ledger, "checkpoint" | "putRun" | "runs"> {
  return { checkpoint, putRun: async () => undefined, runs: async () => [] };
}

function notAsked(source: string, sources: readonly SourceConfig[]): PrickleError {
  const asked = sources.flatMap(({ name, type }) => (type === "pull" ? [name] : []));
  const isThere = sources.some(({ name }) => name === source);
  const found = isThere ? `Source "${source}" calls by itself: it cannot be asked` : `There is no source "${source}"`;
  return new PrickleError("NOT_FOUND", `${found}; those that can: ${asked.join(", ") || "none"}.`, {
    hint: "Sources are named in prickle.yaml.",
  });
}

function alreadyRunning(source: string): PrickleError {
  return new PrickleError("USAGE", `Source "${source}" is being synced already.`, {
    hint: "See how far it is: prickle sources.",
  });
}
