/**
 * Attribution: the step between what mappings make and what is delivered. Events get the groups their person belonged to,
 * group identifies find their group and shrink to what is new. Run by the ledger, inside the transaction of the commit.
 */

import { FRAME_HEAD_BYTES, ID_BYTES, type MessagePlace, messagesIn } from "../parcel.ts";
import { uuidAt, uuidTextAt } from "../uuid.ts";
import { writeWithGroups } from "./event-groups.ts";
import { type EventFacts, readEventFacts, readIdentifyFacts, readStatements } from "./facts.ts";
import { createIdentifying } from "./identifying.ts";
import { groupAt, idsOfPerson } from "./membership.ts";
import { rulesOf } from "./rules.ts";
import { type AttributionDependencies, type AttributionTally, type AttributionTarget, emptyTally } from "./step.ts";

/** Records of one source and what they say, as parcels have it. */
export interface Attributable {
  readonly source: string;
  readonly statements: readonly string[];
  /** The contents of its parcels lie between two places. */
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly ids: Uint8Array;
  /** Places of records that were committed before: left out. */
  readonly known: ReadonlySet<number>;
}

export type Attribute = (attributable: Attributable, target: AttributionTarget) => AttributionTally;

export function createAttribution(dependencies: AttributionDependencies): Attribute {
  const { knowledge } = dependencies;
  return ({ source, statements, bytes, from, to, ids, known }, { parcel, takeSeq, ...rest }) => {
    const tally = emptyTally();
    const { trace } = rest;
    const target: AttributionTarget = {
      ...rest,
      parcel,
      takeSeq(lane) {
        tally.messages += 1;
        return takeSeq(lane);
      },
    };
    for (const text of statements) for (const change of readStatements(text)) knowledge.apply(change);
    const identifying = createIdentifying({ ...dependencies, target, tally });
    let record = -1;
    for (const place of messagesIn(bytes, from, to)) {
      if (known.has(place.record)) continue;
      if (place.record !== record) {
        record = place.record;
        parcel.record(uuidAt(ids, record * ID_BYTES));
      }
      trace?.output(record);
      const facts = bytes.toString("utf8", place.factsAt, place.frameAt);
      const event = facts === "" ? PLAIN : readEventFacts(facts);
      if (!event) identifying.take(readIdentifyFacts(facts, source, uuidTextAt(bytes, place.frameAt + 4)));
      else {
        const gained = event.ids.length > 0 ? gainedGroups(dependencies, source, event) : null;
        layEvent({ bytes, place, hasGroups: event.has.length > 0, gained }, target);
        if (!gained) continue;
        tally.attributed += 1;
        trace?.gained(gained);
      }
    }
    parcel.endRecord();
    return tally;
  };
}

/** Leaves as it is. */
const PLAIN: EventFacts = { at: 0, ids: [], has: [] };

/** Groups of the types the event lacks; null: none. */
function gainedGroups(
  { knowledge, rules }: Pick<AttributionDependencies, "knowledge" | "rules">,
  source: string,
  { at, ids, has }: EventFacts,
): Readonly<Record<string, string>> | null {
  const own = rulesOf(rules, source);
  let person: readonly string[] | null = null;
  let gained: Record<string, string> | null = null;
  for (const groupType of own.groupTypes) {
    if (has.includes(groupType)) continue;
    person ??= idsOfPerson(knowledge, ids, at);
    const groupKey = groupAt(knowledge, person, { groupType, at }, own);
    if (groupKey === null) continue;
    gained ??= {};
    gained[groupType] = groupKey;
  }
  return gained;
}

interface LaidEvent {
  readonly bytes: Buffer;
  readonly place: MessagePlace;
  readonly hasGroups: boolean;
  readonly gained: Readonly<Record<string, string>> | null;
}

function layEvent({ bytes, place, hasGroups, gained }: LaidEvent, { parcel, takeSeq }: AttributionTarget): void {
  const { lane, frameAt, end } = place;
  takeSeq(lane);
  if (!gained) {
    parcel.copyMessage(lane, bytes.subarray(frameAt, end));
    return;
  }
  parcel.beginMessage(uuidAt(bytes, frameAt + 4));
  writeWithGroups(bytes.subarray(frameAt + FRAME_HEAD_BYTES, end), { hasGroups, gained }, parcel.json);
  parcel.endMessage(lane);
}
