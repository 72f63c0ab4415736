/** `verify`: whether a destination has the groups it was sent, and what a repair costs or queues. */

import type { DestinationConfig } from "../../config.ts";
import type { Clock } from "../../core/clock.ts";
import { PrickleError } from "../../core/errors.ts";
import type { Ledger } from "../../core/ledger.ts";
import type { Operations } from "../../core/operations.ts";
import type { VerifiedType, VerifyProgress, VerifyReport, VerifyRequest } from "../../core/verification.ts";
import type { ApiFailure } from "../../destinations/posthog/private-api/failure.ts";
import { compareType } from "./compare-type.ts";
import { createFindings } from "./findings.ts";
import { isFailure, type Patience, patiently } from "./patience.ts";
import { createRepairing } from "./repairing.ts";
import { openShownGroups, type ShownGroups, type ShownGroupsParts } from "./shown-groups.ts";

export interface VerifyParts extends ShownGroupsParts {
  readonly ledger: Pick<Ledger, "heldGroups" | "repairGroups">;
  readonly destinations: readonly DestinationConfig[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly onCommitted: () => void;
  readonly stopping: AbortSignal;
}

export function createVerifyOperation(parts: VerifyParts): Operations["verify"] {
  return async (request, observe, signal) => {
    const settings = chosen(parts.destinations, request.destination);
    const shown = openShownGroups(settings, parts);
    const stop = AbortSignal.any([signal, parts.stopping]);
    try {
      return await verify(request, { ...parts, destination: settings.name, shown, observe, stop });
    } finally {
      await shown.close();
    }
  };
}

interface Verifying extends VerifyParts {
  readonly destination: string;
  readonly shown: ShownGroups;
  readonly observe: (progress: VerifyProgress) => void;
  readonly stop: AbortSignal;
}

async function verify(request: VerifyRequest, verifying: Verifying): Promise<VerifyReport> {
  const { destination, ledger, shown, clock, random, onCommitted, observe, stop } = verifying;
  const startedAt = clock.now();
  const patience = { clock, random, signal: stop };
  const indexes = await indexesOf(shown, request, { ...patience, onPause: pausing(request, observe) });
  const groupTypes: VerifiedType[] = [];
  const repairing = createRepairing({ ledger, destination, onCommitted, queues: request.repair });
  const settledBefore = shown.isLate ? startedAt - request.settlingMs : Number.POSITIVE_INFINITY;
  let unfinished = isFailure(indexes) ? indexes.reason : null;
  for (const groupType of isFailure(indexes) ? [] : await typesOf(request, indexes, verifying)) {
    if (unfinished !== null || isFailure(indexes)) break;
    const index = indexes.get(groupType) ?? null;
    const findings = createFindings(groupType, index, request.examples);
    const one = { groupType, index, destination, ledger, shown, settledBefore, findings, repairing, patience, observe };
    unfinished = await compareType(one);
    groupTypes.push(findings.result());
  }
  await repairing.finish();
  const differences = groupTypes.reduce((sum, { missing, differing }) => sum + missing.count + differing.count, 0);
  const { identifies, removals } = repairing;
  const tookMs = clock.now() - startedAt;
  return { destination, groupTypes, differences, identifies, removals, queued: request.repair, unfinished, tookMs };
}

/** @throws CONFIG_INVALID where no pause and no second try would help */
async function indexesOf(
  shown: ShownGroups,
  { groupType }: VerifyRequest,
  patience: Patience,
): Promise<ReadonlyMap<string, number> | ApiFailure> {
  const indexes = await patiently(() => shown.groupTypes(patience.signal), patience);
  if (isFailure(indexes) && indexes.kind !== "later") {
    throw new PrickleError(
      "CONFIG_INVALID",
      `Nothing can be compared${groupType === undefined ? "" : ` of ${groupType}`}: ${indexes.reason}.`,
      {
        hint: indexes.hint,
      },
    );
  }
  return indexes;
}

function pausing({ groupType = "" }: VerifyRequest, observe: Verifying["observe"]): Patience["onPause"] {
  return (ms, reason) => observe({ groupType, phase: "shown", groups: 0, pause: { ms, reason } });
}

/** Those of which the ledger knows groups, then what else the destination has. @throws NOT_FOUND for one that is neither */
async function typesOf(
  { groupType }: VerifyRequest,
  shown: ReadonlyMap<string, number>,
  { ledger, destination }: Verifying,
): Promise<readonly string[]> {
  const known = new Set(await heldTypes({ ledger, destination }));
  for (const one of shown.keys()) known.add(one);
  if (groupType === undefined) return [...known];
  if (known.has(groupType)) return [groupType];
  throw new PrickleError(
    "NOT_FOUND",
    `No source told of a group of type "${groupType}", and ${destination} has no such type.`,
    {
      hint: known.size === 0 ? "There is none yet." : `There is ${[...known].join(", ")}.`,
    },
  );
}

async function heldTypes({
  ledger,
  destination,
}: Pick<Verifying, "ledger" | "destination">): Promise<readonly string[]> {
  const known: string[] = [];
  let after: { groupType: string; groupKey: string } | null = null;
  for (;;) {
    const [first] = await ledger.heldGroups({ destination, which: { after, limit: 1 } });
    if (!first) break;
    known.push(first.groupType);
    // The name that comes right after it, whatever keys it has.
    after = { groupType: `${first.groupType}\0`, groupKey: "" };
  }
  return known;
}

/** @throws NOT_FOUND, USAGE */
function chosen(destinations: readonly DestinationConfig[], name: string | undefined): DestinationConfig {
  const names = destinations.map((one) => one.name).join(", ");
  if (name !== undefined) {
    const named = destinations.find((one) => one.name === name);
    if (named) return named;
    throw new PrickleError("NOT_FOUND", `There is no destination "${name}"; there is ${names}.`);
  }
  const posthogs = destinations.filter(({ type }) => type === "posthog");
  const [only, another] = posthogs.length > 0 ? posthogs : destinations.filter(({ type }) => type === "engine");
  if (only && !another) return only;
  const found = another ? "There are several destinations that can be verified" : "There is none that can be verified";
  throw new PrickleError("USAGE", `${found}.`, { hint: `Say which with --destination: ${names}.` });
}
