/** The one door in: maps records, checks what comes out and commits everything in one transaction. */

import type { SharedKey } from "../core/attribution/step.ts";
import type { Clock } from "../core/clock.ts";
import type { GroupMemory } from "../core/group-memory.ts";
import type { Commit, Ledger } from "../core/ledger.ts";
import type { Mapping } from "../core/mapping/mapping.ts";
import type { Observer } from "../core/observer.ts";
import type { Rejection } from "../core/record.ts";
import type { Prepared } from "../core/source.ts";
import { countsIn } from "./mend-tally.ts";
import { createPrepare, type Prepare } from "./prepare.ts";

export interface IngestDependencies {
  readonly source: string;
  readonly mapping: Mapping;
  /** What mappings ask for by `@group`: shared by all sources. */
  readonly groups?: GroupMemory;
  readonly ledger: Pick<Ledger, "lanes" | "commit">;
  /** `statements`: only what records say of people; they come again, for their messages. Default: everything. */
  readonly only?: "statements";
  /** See PrepareOptions. */
  readonly isBackfill?: boolean;
  readonly observer: Observer;
  readonly clock: Clock;
  /** Called after each commit that left something to deliver. */
  readonly onCommitted: () => void;
  /** Called for each group met for the first time whose key another group type has too. */
  readonly onSharedKey?: (shared: SharedKey) => void;
}

export interface Ingest {
  /** Maps what came in. Nothing is stored yet. */
  readonly prepare: Prepare;

  /**
   * Resolves when everything prepared is on disk, rejections and `checkpoint` included.
   * @throws LEDGER_FULL, LEDGER_UNAVAILABLE, LEDGER_LOCKED: then nothing was stored, and the same may be committed again.
   */
  commit(prepared: Prepared, checkpoint?: Commit["checkpoint"]): Promise<IngestResult>;
}

export interface IngestResult {
  /** Records in all: those refused and those seen before included. */
  readonly received: number;
  readonly messages: number;
  readonly duplicates: number;
  readonly rejections: readonly Rejection[];
  /** Group identifies that had nothing new, properties that were older than what is known, events that gained a group. */
  readonly saved: number;
  readonly stale: number;
  readonly attributed: number;
}

export function createIngest({
  source,
  mapping,
  groups: memory,
  ledger,
  only,
  isBackfill = false,
  observer,
  clock,
  onCommitted,
  onSharedKey,
}: IngestDependencies): Ingest {
  return {
    prepare: createPrepare({
      mapping,
      lanes: ledger.lanes,
      isBackfill,
      ...(memory ? { groups: memory } : {}),
      ...(only ? { only } : {}),
    }),

    async commit({ received, parcels, rejections, groups, rows, mended }, checkpoint) {
      const startedAt = clock.now();
      const commit = { source, parcels, rejections, groups, ...(rows ? { rows } : {}) };
      const { duplicates, committed, attribution } = await ledger.commit(
        checkpoint ? { ...commit, checkpoint } : commit,
      );
      memory?.stored(groups);
      const refused = [...rejections, ...attribution.rejections];
      if (!only) observer.received(source, received);
      observer.committed(source, committed, clock.now() - startedAt);
      if (duplicates.length > 0) observer.duplicated(source, duplicates.length);
      for (const { reason } of refused) observer.rejected(source, reason, 1);
      if (mended) for (const [reason, messages] of countsIn(mended)) observer.mended(source, reason, messages);
      for (const shared of attribution.sharedKeys) onSharedKey?.(shared);
      if (committed > 0) onCommitted();
      const { saved, stale, attributed } = attribution;
      const counts = { received, messages: committed, duplicates: duplicates.length };
      return { ...counts, rejections: refused, saved, stale, attributed };
    },
  };
}
