/** A group identify on its way: to its group, then to what of it is new, then to a message. */

import { groupLane, messageUuid } from "../identity.ts";
import { type MessageProblem, writeMessage } from "../message.ts";
import { type Uuid, uuidOf, uuidText } from "../uuid.ts";
import { resolveKey } from "./keys.ts";
import type { Identify, Knowledge } from "./knowledge.ts";
import { differenceOf } from "./properties.ts";
import { rulesOf } from "./rules.ts";
import type { AttributionDependencies, AttributionTally, AttributionTarget } from "./step.ts";

/** The property of a group that says into which other its record was merged. */
const MERGED_INTO = "merged_into";

export interface IdentifyingParts extends AttributionDependencies {
  readonly target: AttributionTarget;
  readonly tally: AttributionTally;
}

export interface Identifying {
  /** Lays what has to be sent; with it what waited for an alias that is learned here. */
  take(identify: Identify): void;
}

export function createIdentifying(parts: IdentifyingParts): Identifying {
  const { knowledge, rules, target, tally } = parts;
  return {
    take(first) {
      const waiting = [first];
      for (const identify of waiting) {
        const own = rulesOf(rules, identify.source);
        const resolution = resolveKey(knowledge, identify, own);
        if ("refused" in resolution) refuse(identify, resolution.refused, parts);
        else if (resolution.groupKey !== null) {
          send({ ...identify, groupKey: resolution.groupKey }, parts);
          waiting.push(...mergedInto(identify, resolution.groupKey, resolution.merged));
          waiting.push(...release(knowledge, identify.groupType, resolution.learned));
        } else if (own.unresolved === "park" && identify.aliases.length + identify.mergedAliases.length > 0) {
          knowledge.apply({ kind: "park", identify });
          tally.parked += 1;
          target.trace?.identified(identify, "parked");
        } else refuse(identify, resolution.problem, parts);
      }
    },
  };
}

function release(knowledge: Knowledge, groupType: string, learned: readonly string[]): readonly Identify[] {
  if (learned.length === 0) return [];
  const parked = knowledge.parked(groupType, learned);
  for (const { uuid } of parked) knowledge.apply({ kind: "release", uuid });
  return parked;
}

/** Says of each group where it went: its events stay its own. */
function mergedInto(identify: Identify, groupKey: string, merged: readonly string[]): readonly Identify[] {
  return merged.map((mergedKey, index) => ({
    ...identify,
    groupKey: mergedKey,
    aliases: [],
    mergedAliases: [],
    fallbackKey: null,
    properties: { [MERGED_INTO]: groupKey },
    uuid: uuidText(furtherUuid(identify, index + 1)),
  }));
}

type Resolved = Identify & { readonly groupKey: string };

function send(identify: Resolved, parts: IdentifyingParts): void {
  const { knowledge, rules, lanes, target, tally } = parts;
  const { groupType, groupKey, at } = identify;
  const state = knowledge.group(groupType, groupKey);
  const { set, unset, stale, change } = differenceOf(state, identify, rules);
  const hasSet = Object.keys(set).length > 0;
  const write = (draft: Parameters<typeof writeMessage>[0], uuid: Uuid) =>
    writeMessage(draft, { uuid, occurredAt: at, lanes }, target.parcel);
  const draft = { kind: "groupIdentify", groupType, groupKey, properties: set } as const;
  const problem = hasSet ? write(draft, uuidOf(identify.uuid)) : null;
  if (problem) {
    refuse(identify, problem, parts);
    return;
  }
  tally.stale += stale;
  if (state === null) noteSharedKey(identify, knowledge, tally);
  const lane = groupLane(groupType, groupKey, lanes);
  let seq = hasSet ? target.takeSeq(lane) : 0;
  if (unset.length > 0) {
    const isTooLarge = write({ kind: "groupUnset", groupType, groupKey, properties: unset }, furtherUuid(identify, 0));
    if (!isTooLarge) seq = target.takeSeq(lane);
  } else if (!hasSet) tally.saved += 1;
  if (change) knowledge.apply({ ...change, seq });
  target.trace?.identified(identify, hasSet || unset.length > 0 ? "sent" : "saved");
}

/** PostHog may take the properties of one for those of the other. */
function noteSharedKey(
  { groupType, groupKey }: Resolved,
  knowledge: Knowledge,
  { sharedKeys }: AttributionTally,
): void {
  const otherType = knowledge.typeSharing(groupType, groupKey);
  if (otherType !== null) sharedKeys.push({ groupType, groupKey, otherType });
}

/** Of the identify, not of its record, which may be about several groups. */
function furtherUuid({ source, uuid, at }: Identify, index: number): Uuid {
  return messageUuid({ source, id: uuid, statedAt: null, occurredAt: at }, index);
}

function refuse(
  identify: Identify,
  { reason, detail }: MessageProblem,
  { tally: { rejections }, target: { trace } }: IdentifyingParts,
): void {
  trace?.identified(identify, "refused");
  const { source, recordId, receivedAt, groupType, groupKey, aliases, properties } = identify;
  const payload = { groupType, groupKey, aliases: [...aliases], properties };
  rejections.push({ source, recordId, reason, detail, receivedAt, payload });
}
