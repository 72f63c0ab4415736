/** What a mapping would make of records, message for message as it would be sent, without sending anything. */

import { groupSyncDistinctId } from "./group.ts";
import { recordUuid } from "./identity.ts";
import { type KnownGroups, NO_KNOWN_GROUPS } from "./known-groups.ts";
import type { Mapping } from "./mapping/mapping.ts";
import { type MessageDraft, type MessageProblem, type Statement, writeMessage } from "./message.ts";
import { murmur128 } from "./murmur.ts";
import { createParcelWriter } from "./parcel.ts";
import type { Rejection, RejectionReason, SourceRecord } from "./record.ts";

export interface Preview {
  /** Name of the rule that wanted the record; null when none did, or it was refused before. */
  readonly rule: string | null;
  readonly drafts: readonly MessageDraft[];
  readonly statements: readonly Statement[];
  readonly problems: readonly MessageProblem[];
}

export type Previewer = (outcome: SourceRecord | Rejection) => Preview;

/** Lanes only spread messages: any number shows the same. */
const LANES = 1;

export function createPreviewer(mapping: Mapping, groups: KnownGroups = NO_KNOWN_GROUPS): Previewer {
  const parcel = createParcelWriter();
  return (outcome) => {
    if ("reason" in outcome) return { rule: null, drafts: [], statements: [], problems: [outcome] };
    const { rule, drafts, statements, problems } = mapping.apply(outcome, groups);
    const uuid = recordUuid(outcome);
    const refused: MessageProblem[] = [];
    parcel.clear();
    parcel.record(uuid);
    const sent = drafts.filter((draft) => {
      const problem = writeMessage(draft, { uuid, occurredAt: outcome.occurredAt, lanes: LANES }, parcel);
      if (problem) refused.push(problem);
      return problem === null;
    });
    return { rule, drafts: sent, statements, problems: [...problems, ...refused] };
  };
}

export interface PreviewSummary {
  readonly records: number;
  /** Records that come again later in the input, and would be left out. */
  readonly duplicates: number;
  /** Records by the rule that wanted them. */
  readonly rules: Readonly<Record<string, number>>;
  readonly groupIdentifies: number;
  /** By the name of the event. */
  readonly events: Readonly<Record<string, number>>;
  readonly groupTypes: readonly GroupTypeSummary[];
  readonly rejected: Readonly<Partial<Record<RejectionReason, number>>>;
  /** Distinct ids of all messages: PostHog has or makes a person for each. */
  readonly persons: number;
  /** Every message is one. */
  readonly billedEvents: number;
}

export interface GroupTypeSummary {
  readonly groupType: string;
  /** Groups that are identified, and groups that events only name: those are not listed by PostHog. */
  readonly identified: number;
  readonly onlyNamed: number;
}

export interface PreviewSum {
  add(outcome: SourceRecord | Rejection, preview: Preview): void;
  summary(): PreviewSummary;
}

/** Adds up previews; keeps some 50 bytes for each record, group and person. */
export function createPreviewSum(): PreviewSum {
  const seen = new Set<number>();
  const persons = new Set<number>();
  const identified = new Map<string, Set<number>>();
  const named = new Map<string, Set<number>>();
  const rules = new Map<string, number>();
  const events = new Map<string, number>();
  const rejected = new Map<RejectionReason, number>();
  let records = 0;
  let duplicates = 0;
  let groupIdentifies = 0;

  function isRepeated(outcome: SourceRecord | Rejection, { drafts }: Preview): boolean {
    // As in the ledger, only what made a message is known again.
    if ("reason" in outcome || drafts.length === 0) return false;
    const known = seen.size;
    seen.add(numberOf(recordUuid(outcome).join()));
    return seen.size === known;
  }

  function addDraft(draft: MessageDraft): void {
    if (draft.kind === "groupIdentify") {
      groupIdentifies += 1;
      const key = draft.groupKey ?? draft.keys?.fallbackKey ?? draft.keys?.aliases[0] ?? "";
      setOf(identified, draft.groupType).add(numberOf(key));
      persons.add(numberOf(groupSyncDistinctId(draft.groupType, key)));
      return;
    }
    count(events, draft.event);
    persons.add(numberOf(draft.distinctId));
    for (const [groupType, groupKey] of Object.entries(draft.groups)) setOf(named, groupType).add(numberOf(groupKey));
  }

  return {
    add(outcome, preview) {
      records += 1;
      for (const { reason } of preview.problems) count(rejected, reason);
      if (preview.rule !== null) count(rules, preview.rule);
      if (isRepeated(outcome, preview)) duplicates += 1;
      else for (const draft of preview.drafts) addDraft(draft);
    },
    summary: () => ({
      records,
      duplicates,
      rules: Object.fromEntries(rules),
      groupIdentifies,
      events: Object.fromEntries(events),
      groupTypes: [...new Set([...identified.keys(), ...named.keys()])].map((groupType) => {
        const known = setOf(identified, groupType);
        const onlyNamed = [...setOf(named, groupType)].filter((key) => !known.has(key)).length;
        return { groupType, identified: known.size, onlyNamed };
      }),
      rejected: Object.fromEntries(rejected),
      persons: persons.size,
      billedEvents: groupIdentifies + [...events.values()].reduce((sum, number) => sum + number, 0),
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
