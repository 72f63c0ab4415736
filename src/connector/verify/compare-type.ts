/**
 * Compares the groups of one type, neither list in memory: each page that the destination shows is looked up in the ledger, then
 * the ledger's groups are gone through for those that were not among them.
 */

import { compareGroup } from "../../core/group-comparison.ts";
import type { HeldGroup } from "../../core/group-knowledge.ts";
import type { Ledger } from "../../core/ledger.ts";
import type { VerifyProgress } from "../../core/verification.ts";
import type { ApiFailure } from "../../destinations/posthog/private-api/failure.ts";
import type { ShownGroup, ShownPage } from "../../destinations/posthog/private-api/group-pages.ts";
import type { Findings } from "./findings.ts";
import { createKeySet, type KeySet } from "./key-set.ts";
import { isFailure, type Patience, patiently } from "./patience.ts";
import type { Repairing } from "./repairing.ts";
import type { ShownGroups } from "./shown-groups.ts";

export interface TypeParts {
  readonly groupType: string;
  /** In the project; null: it has no such type. */
  readonly index: number | null;
  readonly destination: string;
  readonly ledger: Pick<Ledger, "heldGroups">;
  readonly shown: Pick<ShownGroups, "page">;
  /** ms UTC. */
  readonly settledBefore: number;
  readonly findings: Findings;
  readonly repairing: Repairing;
  readonly patience: Omit<Patience, "onPause">;
  readonly observe: (progress: VerifyProgress) => void;
}

const LEDGER_PAGE = 500;

/** Null when all was compared; else why not: then none was called missing. */
export async function compareType(parts: TypeParts): Promise<string | null> {
  const seen = createKeySet();
  const problem = parts.index === null ? null : await compareShown(parts.index, seen, parts);
  return problem ?? (await compareKnown(seen, parts));
}

async function compareShown(index: number, seen: KeySet, parts: TypeParts): Promise<string | null> {
  const { groupType, shown, patience, findings, observe } = parts;
  const tell = (pause: VerifyProgress["pause"]) =>
    observe({ groupType, phase: "shown", groups: findings.shown, pause });
  const onPause = (ms: number, reason: string) => tell({ ms, reason });
  const ask = (cursor: string | null) =>
    patiently(() => shown.page(index, cursor, patience.signal), { ...patience, onPause });
  let cursor: string | null = null;
  do {
    const page: ShownPage | ApiFailure = await ask(cursor);
    if (patience.signal.aborted) return STOPPED;
    if (isFailure(page)) return page.reason;
    const isNew = await comparePage(page.groups, seen, parts);
    tell(null);
    if (!isNew && page.cursor !== null) return `the list of groups of ${groupType} goes in circles`;
    cursor = page.cursor;
  } while (cursor !== null);
  return null;
}

const STOPPED = "it was stopped";

/** False: nothing of it was new. */
async function comparePage(page: readonly ShownGroup[], seen: KeySet, parts: TypeParts): Promise<boolean> {
  const { groupType, destination, ledger, findings } = parts;
  const fresh = page.filter(({ groupKey }) => seen.add(groupKey));
  const groupKeys = fresh.map(({ groupKey }) => groupKey);
  const held = await ledger.heldGroups({ destination, which: { groupType, groupKeys } });
  const byKey = new Map(held.map((group) => [group.groupKey, group]));
  for (const { groupKey, properties } of fresh) {
    const group = byKey.get(groupKey);
    if (group) await compareOne(group, properties, parts);
    else findings.unknown(groupKey);
  }
  return fresh.length > 0;
}

async function compareKnown(seen: KeySet, parts: TypeParts): Promise<string | null> {
  const { groupType, destination, ledger, findings, patience, observe } = parts;
  let after = { groupType, groupKey: "" };
  for (let isLast = false; !isLast; ) {
    if (patience.signal.aborted) return STOPPED;
    const page = await ledger.heldGroups({ destination, which: { after, limit: LEDGER_PAGE } });
    const ofType = page.filter((group) => group.groupType === groupType);
    for (const group of ofType) if (!seen.has(group.groupKey)) await compareOne(group, null, parts);
    observe({ groupType, phase: "missing", groups: findings.known, pause: null });
    isLast = ofType.length < LEDGER_PAGE;
    after = page.at(-1) ?? after;
  }
  return null;
}

async function compareOne(
  group: HeldGroup,
  properties: ShownGroup["properties"] | null,
  { settledBefore, findings, repairing }: TypeParts,
): Promise<void> {
  const comparison = compareGroup(group, properties, settledBefore);
  findings.compared(group, comparison, properties !== null);
  if (comparison.differences.length > 0) await repairing.add(group, comparison.differences);
}
