/** A mapping turns the records of one source into messages. Compiled once from its YAML file; pure. */

import type { GroupRules } from "../attribution/rules.ts";
import type { GroupRead, KnownGroups } from "../known-groups.ts";
import type { MessageDraft, MessageProblem, Statement } from "../message.ts";
import type { SourceRecord } from "../record.ts";

export interface Mapping {
  /** Name of the file it came from, without ending. */
  readonly name: string;
  /** Every group type it may produce, in the order declared: 1–5, safe names, no duplicates. */
  readonly groupTypes: readonly string[];
  /** How its groups are attributed, kept and looked up. */
  readonly groupRules: GroupRules;
  /** Whether its events may gain groups by what its records say of people: then the order of records matters. */
  readonly usesMemberships: boolean;
  /** What `apply` may ask of known groups, each once. */
  readonly groupReads: readonly GroupRead[];
  /**
   * Never throws and never changes the record: any payload gives messages, problems, or both.
   * Without known groups none is known.
   */
  apply(record: SourceRecord, groups?: KnownGroups): Mapped;
}

export interface Mapped {
  /** Name of the rule that wanted the record; null when none did. */
  readonly rule: string | null;
  readonly drafts: readonly MessageDraft[];
  /** What it says of people. */
  readonly statements: readonly Statement[];
  /** Why the record, or one output of it, makes no message. */
  readonly problems: readonly MessageProblem[];
}
