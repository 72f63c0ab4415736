/** What an operator can ask, answered by the ledger, the engine and the ingests. */

import type { SourceConfig } from "../config.ts";
import type { DestinationHealth } from "../core/destination.ts";
import { PrickleError } from "../core/errors.ts";
import type { GroupMemory } from "../core/group-memory.ts";
import type { Ledger } from "../core/ledger.ts";
import type { Operations } from "../core/operations.ts";
import { createBackfillOperation, type SourceIngests } from "./backfill.ts";
import { requireEngine } from "./require-engine.ts";
import type { Syncs } from "./syncs.ts";
import { createVerifyOperation, type VerifyParts } from "./verify/verify.ts";

export interface OperationParts extends VerifyParts {
  readonly ledger: Ledger;
  readonly ingests: ReadonlyMap<string, SourceIngests>;
  /** Ingests of a source into a rehearsal of the ledger. */
  readonly rehearse: (source: string, ledger: Pick<Ledger, "lanes" | "commit">) => SourceIngests;
  readonly groups: GroupMemory;
  readonly syncs: Syncs;
  readonly sources: readonly SourceConfig[];
  readonly health: () => readonly DestinationHealth[];
}

export function createOperations(parts: OperationParts): Operations {
  const { ledger, engine, ingests, rehearse, sources, syncs, onCommitted, health } = parts;
  const partsOf = (name: string) => {
    const source = sources.find((one) => one.name === name);
    if (!source) throw noSuchSource(name, [...ingests.keys()]);
    const { mapping, maxEventsPerRun } = source;
    const rehearsing = (rehearsed: Pick<Ledger, "lanes" | "commit">) => rehearse(name, rehearsed);
    return { ingests: requireSource(ingests, name), rehearsing, mapping, maxEventsPerRun };
  };
  return {
    status: async () => ({ ...(await ledger.status()), health: health() }),
    groupTypes: async () => requireEngine(engine).groupTypes(),
    groups: async (query) => requireEngine(engine).groups(query),
    group: ledger.group,
    keys: ledger.keys,
    trends: async (query) => requireEngine(engine).trends(query),
    listDeadLetters: ledger.listDeadLetters,
    countDeadLetters: ledger.countDeadLetters,
    async replayDeadLetters(filter) {
      const replayed = await ledger.replayDeadLetters(filter);
      onCommitted();
      return replayed;
    },
    async replayEdited(letter) {
      await ledger.replayEdited(letter);
      onCommitted();
      return null;
    },
    dropDeadLetters: ledger.dropDeadLetters,
    trace: ledger.trace,
    listRejections: ledger.listRejections,
    sources: syncs.sources,
    runs: syncs.runs,
    sync: syncs.sync,
    startSync: syncs.startSync,
    verify: createVerifyOperation(parts),
    // Threads of their own would neither see what is known of groups nor tell of it.
    backfill: createBackfillOperation({ ...parts, partsOf, mayUseThreads: parts.groups.groupTypes.size === 0 }),
  };
}

export function requireSource(ingests: ReadonlyMap<string, SourceIngests>, source: string): SourceIngests {
  const ingest = ingests.get(source);
  if (ingest) return ingest;
  throw noSuchSource(source, [...ingests.keys()]);
}

export function noSuchSource(source: string, known: readonly string[]): PrickleError {
  return new PrickleError("NOT_FOUND", `There is no source "${source}"; there is ${known.join(", ") || "none"}.`, {
    hint: "Sources are named in prickle.yaml.",
  });
}
