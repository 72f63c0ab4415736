/** What commits would come to, message for message, over what is known already; nothing of it is kept. */

import { type Attributable, createAttribution } from "./attribution/attribute.ts";
import type { Knowledge } from "./attribution/knowledge.ts";
import { createMemoryKnowledge } from "./attribution/memory-knowledge.ts";
import { overlayKnowledge } from "./attribution/overlay-knowledge.ts";
import type { RulesBySource } from "./attribution/rules.ts";
import type { AttributionTally } from "./attribution/step.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import { GROUP_UNSET } from "./message.ts";
import { murmur128 } from "./murmur.ts";
import { createParcelWriter, FRAME_HEAD_BYTES, ID_BYTES, messagesIn } from "./parcel.ts";
import type { Rejection, RejectionReason } from "./record.ts";
import { isHistory } from "./service.ts";
import { uuidTextAt } from "./uuid.ts";

export interface RehearsalOptions {
  /** What is known already; null: nothing. */
  readonly base: Knowledge | null;
  readonly rules: RulesBySource;
  readonly lanes: number;
  /** Whether the record of this id (16 bytes) was taken before. */
  readonly isSeen: (id: Buffer) => boolean;
  /** ms UTC. */
  readonly now: number;
}

export interface Rehearsal {
  add(commit: RehearsedCommit): RehearsedResult;
  summary(): RehearsalSummary;
}

export type RehearsedCommit = Omit<Attributable, "known"> & { readonly rejections: readonly Rejection[] };

export interface RehearsedResult {
  readonly duplicates: readonly number[];
  readonly committed: number;
  readonly attribution: AttributionTally;
}

export interface RehearsalSummary {
  /** Records that were taken before, or come again later in the input. */
  readonly duplicates: number;
  /** Group identifies as mapped, and those left that have something new. */
  readonly identifies: { readonly mapped: number; readonly sent: number };
  /** Properties older than what is known. */
  readonly stale: number;
  /** By the name of the event. */
  readonly events: Readonly<Record<string, number>>;
  /** Events that gain a group by what is known of their person. */
  readonly attributed: number;
  /** Group identifies that wait for an alias. */
  readonly parked: number;
  readonly groupTypes: readonly GroupTypeSummary[];
  readonly rejected: Readonly<Partial<Record<RejectionReason, number>>>;
  /** Distinct ids of all messages: PostHog has or makes a person for each. */
  readonly persons: number;
  /** Every message is one, but for those that remove properties. */
  readonly billedEvents: number;
  /** Of those, events at least 48 hours old: PostHog does not bill them when they are sent as history. */
  readonly historicalEvents: number;
}

export interface GroupTypeSummary {
  readonly groupType: string;
  /** Groups that would be made. */
  readonly created: number;
  /** Groups that events name and nothing identifies: PostHog does not list them. */
  readonly onlyNamed: number;
}

/** Keeps what it is told of people and groups, and some 50 bytes for each record and person. */
export function createRehearsal({ base, rules, lanes, isSeen, now }: RehearsalOptions): Rehearsal {
  const knowledge = base ? overlayKnowledge(base) : createMemoryKnowledge();
  const attribute = createAttribution({ knowledge, rules, lanes });
  const parcel = createParcelWriter();
  const sum = createSum({ base, now });
  const seen = new Set<number>();

  function duplicatesIn(ids: Uint8Array): number[] {
    const bytes = Buffer.from(ids.buffer, ids.byteOffset, ids.length);
    const found: number[] = [];
    for (let place = 0; place * ID_BYTES < bytes.length; place++) {
      const known = seen.size;
      seen.add(numberOf(uuidTextAt(bytes, place * ID_BYTES)));
      const id = bytes.subarray(place * ID_BYTES, (place + 1) * ID_BYTES);
      if (seen.size === known || isSeen(id)) found.push(place);
    }
    return found;
  }

  return {
    add({ rejections, ...commit }) {
      const duplicates = duplicatesIn(commit.ids);
      parcel.clear();
      const attribution = attribute({ ...commit, known: new Set(duplicates) }, { parcel, takeSeq: () => 0 });
      sum.tally(attribution, duplicates.length);
      for (const { reason } of [...rejections, ...attribution.rejections]) sum.reject(reason);
      const contents = parcel.contents();
      for (const { frameAt, end } of messagesIn(contents, 0, contents.length)) {
        sum.message(JSON.parse(contents.toString("utf8", frameAt + FRAME_HEAD_BYTES, end)));
      }
      return { duplicates, committed: attribution.messages, attribution };
    },
    summary: sum.summary,
  };
}

function createSum({ base, now }: Pick<RehearsalOptions, "base" | "now">) {
  const persons = new Set<number>();
  const created = new Map<string, Set<number>>();
  const named = new Map<string, Map<number, string>>();
  const events = new Map<string, number>();
  const rejected = new Map<RejectionReason, number>();
  const counts = { duplicates: 0, stale: 0, attributed: 0, parked: 0, saved: 0 };
  let [sent, billedEvents, historicalEvents] = [0, 0, 0];

  function group(groupType: string, groupKey: string): void {
    if (!base?.group(groupType, groupKey)) setOf(created, groupType).add(numberOf(groupKey));
  }

  function names(groups: JsonObject): void {
    for (const [groupType, groupKey] of Object.entries(groups)) {
      const keys = named.get(groupType) ?? new Map<number, string>();
      named.set(groupType, keys.set(numberOf(String(groupKey)), String(groupKey)));
    }
  }

  return {
    tally({ saved, stale, attributed, parked }: AttributionTally, duplicates: number) {
      counts.duplicates += duplicates;
      counts.saved += saved;
      counts.stale += stale;
      counts.attributed += attributed;
      counts.parked += parked;
    },
    reject: (reason: RejectionReason) => count(rejected, reason),
    message({ event, distinct_id, timestamp, properties }: JsonObject) {
      if (event === GROUP_UNSET || !isJsonObject(properties)) return;
      billedEvents += 1;
      persons.add(numberOf(String(distinct_id)));
      const { $group_type, $group_key, $groups } = properties;
      if (event === "$groupidentify") {
        sent += 1;
        group(String($group_type), String($group_key));
        return;
      }
      if (isHistory(Date.parse(String(timestamp)), now)) historicalEvents += 1;
      count(events, String(event));
      if (isJsonObject($groups)) names($groups);
    },
    summary: (): RehearsalSummary => ({
      duplicates: counts.duplicates,
      identifies: { mapped: sent + counts.saved, sent },
      stale: counts.stale,
      events: Object.fromEntries(events),
      attributed: counts.attributed,
      parked: counts.parked,
      groupTypes: [...new Set([...created.keys(), ...named.keys()])].map((groupType) => {
        const made = setOf(created, groupType);
        const others = [...(named.get(groupType) ?? [])].filter(
          ([number, key]) => !made.has(number) && !base?.group(groupType, key),
        );
        return { groupType, created: made.size, onlyNamed: others.length };
      }),
      rejected: Object.fromEntries(rejected),
      persons: persons.size,
      billedEvents,
      historicalEvents,
    }),
  };
}

/** 53 bits: among a hundred million, two texts share one with a chance of one in two. */
function numberOf(text: string): number {
  const [high, low] = murmur128(text);
  return (high >>> 0) * 2 ** 21 + (low >>> 11);
}

function setOf(sets: Map<string, Set<number>>, name: string): Set<number> {
  const set = sets.get(name) ?? new Set();
  sets.set(name, set);
  return set;
}

function count<Name>(counts: Map<Name, number>, name: Name): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
