/** The backfill an operator asks for: which files, mapped by whom, into which ingest. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadMapping } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import { PrickleError } from "../core/errors.ts";
import type { Ledger } from "../core/ledger.ts";
import type { MappingSource } from "../core/mapping/compile.ts";
import type { BackfillRequest, Operations } from "../core/operations.ts";
import { backfill } from "../pipeline/backfill.ts";
import type { Ingest } from "../pipeline/ingest.ts";
import { openBackfillFiles } from "./backfill-files.ts";
import { createFileOpener } from "./open-backfill-file.ts";

export interface BackfillParts {
  readonly ledger: Ledger;
  /** Of a source, by its name. @throws NOT_FOUND */
  readonly partsOf: (source: string) => SourceParts;
  /** Whether a large file may be read and mapped in threads of their own. */
  readonly mayUseThreads: boolean;
  readonly clock: Clock;
  readonly stopping: AbortSignal;
}

export interface SourceIngests {
  readonly everything: Ingest;
  /** Everything of a file: what is old leaves by the historical service. */
  readonly backfill: Ingest;
  /** Takes only what records say of people; null where its events never gain a group by that. */
  readonly memberships: Ingest | null;
}

export interface SourceParts {
  readonly ingests: SourceIngests;
  /** The same, into a rehearsal of the ledger: nobody is told of what they take. */
  readonly rehearsing: (ledger: Pick<Ledger, "lanes" | "commit">) => SourceIngests;
  readonly mapping: MappingSource;
  /** Stops a run before more messages are made; null: no limit. */
  readonly maxEventsPerRun: number | null;
}

export function createBackfillOperation(parts: BackfillParts): Operations["backfill"] {
  const { ledger, partsOf, mayUseThreads, clock, stopping } = parts;
  const running = new Set<string>();
  return async (request, observe, signal) => {
    const { ingests, rehearsing, mapping, maxEventsPerRun } = partsOf(request.source);
    requireMapping(request, mapping);
    const maxEvents = request.maxEvents ?? maxEventsPerRun;
    await using opened = new AsyncDisposableStack();
    const { files: found, leftOut } = await openBackfillFiles(request, await temporaryFolder(opened));
    const rehearsal = request.isDryRun ? await ledger.rehearse() : null;
    if (rehearsal) opened.defer(() => rehearsal.close());
    const into = rehearsal ? rehearsing({ lanes: ledger.lanes, ...rehearsal }) : ingests;
    const memberships = request.isInOrder === true ? null : into.memberships;
    const limits = { maxEvents, perSecond: request.perSecond ?? null };
    const how = { mapping, lanes: ledger.lanes, receivedAt: clock.now(), mayUseThreads, ...limits };
    const open = createFileOpener(request, how);
    const files = found.map((file) => open(file, memberships !== null));
    claim(files, running, request.source, opened);
    const checkpoint = rehearsal ? async () => null : ledger.checkpoint;
    const ledgerParts = { status: ledger.status, lanes: ledger.lanes };
    const waitForDelivery = request.waitForDelivery && !rehearsal;
    const summary = await backfill(
      { files, ingest: into.backfill, memberships, ledger: { ...ledgerParts, checkpoint }, clock },
      { waitForDelivery, ...limits, observe, signal: AbortSignal.any([signal, stopping]) },
    );
    return { ...summary, leftOut, dryRun: rehearsal ? await rehearsal.summary() : null };
  };
}

/** What is asked by its mapping is not to be read by another that happens to have the name. */
function requireMapping({ mapping: named, source }: BackfillRequest, mapping: MappingSource): void {
  if (named === undefined || loadMapping(named, { cwd: process.cwd() }).text === mapping.text) return;
  throw new PrickleError("USAGE", `The source ${source} is mapped by ${mapping.file}, not by ${named}.`, {
    hint: `Say --source ${source} to read it by its own mapping, or give the other mapping another name.`,
  });
}

async function temporaryFolder(opened: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "prickle-backfill-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** No file is read twice at a time. @throws USAGE */
function claim(
  files: ReturnType<ReturnType<typeof createFileOpener>>[],
  running: Set<string>,
  source: string,
  opened: AsyncDisposableStack,
): void {
  for (const { path, everything } of files) {
    const name = everything.checkpointName;
    if (running.has(name)) {
      throw new PrickleError("USAGE", `${path} is being read already for the source ${source}.`, {
        hint: "Wait until that is done: prickle status.",
      });
    }
    running.add(name);
    opened.defer(() => void running.delete(name));
  }
}
