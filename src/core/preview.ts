/** What a mapping would make of records, message for message as it would be sent, without sending anything. */

import { recordUuid } from "./identity.ts";
import { type KnownGroups, NO_KNOWN_GROUPS } from "./known-groups.ts";
import type { Mapping } from "./mapping/mapping.ts";
import { type MessageDraft, type MessageProblem, type Statement, writeMessage } from "./message.ts";
import { createParcelWriter } from "./parcel.ts";
import type { Rejection, SourceRecord } from "./record.ts";

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
    const sent = drafts.map(withFallback).filter((draft) => {
      const waits = draft.kind === "groupIdentify" && draft.groupKey === null;
      if (waits && mapping.groupRules.unresolved === "park") return true;
      const problem = writeMessage(draft, { uuid, occurredAt: outcome.occurredAt, lanes: LANES }, parcel);
      if (problem) refused.push(problem);
      return problem === null;
    });
    return { rule, drafts: sent, statements, problems: [...problems, ...refused] };
  };
}

/** No alias is known here. */
function withFallback(draft: MessageDraft): MessageDraft {
  if (draft.kind === "event" || draft.groupKey !== null) return draft;
  return { ...draft, groupKey: draft.keys?.fallbackKey ?? null };
}
