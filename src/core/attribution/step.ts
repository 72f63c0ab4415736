/** What the parts of the attribution step hand to each other. */

import type { ParcelWriter } from "../parcel.ts";
import type { Rejection } from "../record.ts";
import type { Identify, Knowledge } from "./knowledge.ts";
import type { RulesBySource } from "./rules.ts";

export interface AttributionDependencies {
  readonly knowledge: Knowledge;
  readonly rules: RulesBySource;
  readonly lanes: number;
}

/** What attribution did beside the messages it made. */
export interface AttributionTally {
  /** Messages it laid. */
  messages: number;
  /** Group identifies that had nothing new. */
  saved: number;
  /** Properties that were older than what is known. */
  stale: number;
  /** Events that gained a group. */
  attributed: number;
  /** Group identifies that wait for an alias. */
  parked: number;
  readonly rejections: Rejection[];
  /** Groups met for the first time whose key another group type has too. */
  readonly sharedKeys: SharedKey[];
}

export interface SharedKey {
  readonly groupType: string;
  readonly groupKey: string;
  readonly otherType: string;
}

/** Where the messages that are to be delivered go. */
export interface AttributionTarget {
  readonly parcel: ParcelWriter;
  /** Gives the seq that a message of the lane gets; asked once for each, in order. */
  takeSeq(lane: number): number;
  /** Who wants to know what became of each output. */
  readonly trace?: AttributionTrace;
}

/** Is told in the order in which messages are laid, after those it is about. */
export interface AttributionTrace {
  /** What is told from now on is about an output of the record at this place. */
  output(place: number): void;
  /** Of the event laid last. */
  gained(groups: Readonly<Record<string, string>>): void;
  /** What was laid since the last call, if anything, is what became of `identify`. */
  identified(identify: Pick<Identify, "groupType" | "groupKey" | "recordId" | "uuid">, became: Became): void;
}

/** Of a group identify: messages; nothing, since it said nothing new; it waits for an alias; it was refused. */
export type Became = "sent" | "saved" | "parked" | "refused";

export function emptyTally(): AttributionTally {
  return { messages: 0, saved: 0, stale: 0, attributed: 0, parked: 0, rejections: [], sharedKeys: [] };
}
