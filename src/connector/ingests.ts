/** The ingests of every source: into the ledger, and into rehearsals of it. */

import type { Clock } from "../core/clock.ts";
import type { GroupMemory } from "../core/group-memory.ts";
import type { Ledger } from "../core/ledger.ts";
import type { Mapping } from "../core/mapping/mapping.ts";
import { NOBODY } from "../core/observer.ts";
import { createIngest, type IngestDependencies } from "../pipeline/ingest.ts";
import type { SourceIngests } from "./backfill.ts";

type Shared = Omit<IngestDependencies, "source" | "mapping" | "only" | "isBackfill">;

/** By name of the source. */
export function createIngests(
  mappings: ReadonlyMap<string, Mapping>,
  shared: Shared,
): ReadonlyMap<string, SourceIngests> {
  return new Map([...mappings].map(([source, mapping]) => [source, ingestsOf(source, mapping, shared)]));
}

/** Nobody is told of what they take, and what is known of groups stays as it is. */
export function createRehearsingIngests(
  mappings: ReadonlyMap<string, Mapping>,
  { groups, clock }: { readonly groups: GroupMemory; readonly clock: Clock },
): (source: string, ledger: Pick<Ledger, "lanes" | "commit">) => SourceIngests {
  const silent = { observer: NOBODY, clock, onCommitted: () => undefined, groups: { ...groups, note: () => null } };
  return (source, ledger) => {
    const mapping = mappings.get(source);
    if (!mapping) throw new RangeError(`there is no source ${source}`);
    return ingestsOf(source, mapping, { ...silent, ledger });
  };
}

function ingestsOf(source: string, mapping: Mapping, shared: Shared): SourceIngests {
  const own = { ...shared, source, mapping };
  const memberships = mapping.usesMemberships ? createIngest({ ...own, only: "statements" }) : null;
  return { everything: createIngest(own), backfill: createIngest({ ...own, isBackfill: true }), memberships };
}
