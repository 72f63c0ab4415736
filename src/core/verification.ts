/** Whether a destination has the groups it was sent: what is asked, and what was found. Plain JSON. */

import type { JsonValue } from "./json.ts";

export interface VerifyRequest {
  /** Name of a destination; left out where only one can be asked. */
  readonly destination?: string | undefined;
  /** Only groups of this type. */
  readonly groupType?: string | undefined;
  /** Queue what the destination lacks, for it alone. */
  readonly repair: boolean;
  /** Examples of each finding, by group type. */
  readonly examples: number;
  /** What was delivered so many ms ago, or later, is not compared: a destination shows groups some time after it took them. */
  readonly settlingMs: number;
}

export interface VerifyProgress {
  readonly groupType: string;
  readonly phase: "shown" | "missing";
  /** Groups looked at, of the type. */
  readonly groups: number;
  /** It waits for so many ms, and why; null: it goes on. */
  readonly pause: { readonly ms: number; readonly reason: string } | null;
}

export interface VerifyReport {
  readonly destination: string;
  readonly groupTypes: readonly VerifiedType[];
  /** Groups that are missing or differ, of all types. */
  readonly differences: number;
  /** Messages that a repair costs, or that were queued: group identifies, and removals of properties. */
  readonly identifies: number;
  readonly removals: number;
  readonly queued: boolean;
  /** Why it ended before all was compared; null: all was. */
  readonly unfinished: string | null;
  readonly tookMs: number;
}

export interface VerifiedType {
  readonly groupType: string;
  /** In the project; null: it has no such type. */
  readonly index: number | null;
  /** Groups that sources told of and the destination was sent, or has to be. */
  readonly known: number;
  /** Groups the destination shows. */
  readonly shown: number;
  /** Of the known ones: nothing was found. */
  readonly same: number;
  readonly missing: Finding<string>;
  readonly differing: Finding<DifferingGroup>;
  /** Shown, but no source knows them: never touched. */
  readonly unknown: Finding<string>;
  /** Of the known ones, that of which nothing could be compared yet, or only a part that is the same. */
  readonly leftOut: Readonly<Record<LeftOut, number>>;
}

/** By key. */
export interface Finding<Example> {
  readonly count: number;
  readonly examples: readonly Example[];
}

export interface DifferingGroup {
  readonly groupKey: string;
  readonly properties: readonly PropertyDifference[];
}

export interface PropertyDifference {
  readonly name: string;
  /** Absent: it should be gone. */
  readonly expected?: JsonValue;
  /** Absent: it is not there. */
  readonly shown?: JsonValue;
}

/**
 * Why a property is not compared: it waits in the outbox; it is a dead letter, or held back until something else is
 * sent; it was delivered just now.
 */
export type LeftOut = "waiting" | "owed" | "settling";

export const LEFT_OUT: readonly LeftOut[] = ["waiting", "owed", "settling"];
