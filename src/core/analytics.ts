/** Questions to the engine, and its answers: plain JSON. */

import type { JsonObject, JsonValue } from "./json.ts";

export interface GroupType {
  readonly groupType: string;
  /** 0–4, by arrival. */
  readonly index: number;
  /** Groups listed: those with at least one property. */
  readonly groups: number;
}

export interface GroupsQuery {
  readonly groupType: string;
  readonly limit: number;
  readonly offset: number;
  /** Only groups whose key or name contains this, in any case. */
  readonly search?: string;
}

export interface GroupPage {
  readonly groupType: string;
  /** Groups that match, on all pages. */
  readonly total: number;
  /** By name, then key. */
  readonly groups: readonly Group[];
}

export interface Group {
  readonly groupKey: string;
  /** Its `name` property, else its key. */
  readonly name: string;
  readonly properties: JsonObject;
  /** ISO 8601 UTC. Created: the time of its first identify, at most when that arrived. Updated: when a property last changed here. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export const TREND_INTERVALS = ["day", "week", "month"] as const;
export type TrendInterval = (typeof TREND_INTERVALS)[number];

export interface TrendsQuery {
  readonly groupType: string;
  /** Null: any event. */
  readonly event: string | null;
  readonly interval: TrendInterval;
  /** Inclusive, ISO 8601 date or time, UTC; null: from the first event, to the last. */
  readonly from: string | null;
  readonly to: string | null;
  /** A property of the event to break down by, or null. */
  readonly breakdown: string | null;
}

export interface Trends {
  readonly groupType: string;
  readonly event: string | null;
  readonly interval: TrendInterval;
  readonly series: readonly TrendSeries[];
}

export interface TrendSeries {
  /** The breakdown's value; null without a breakdown or where the event lacks the property. */
  readonly breakdownValue: JsonValue;
  /** Distinct groups in the whole range: not the sum of the points. */
  readonly total: number;
  /** Every interval of the range, empty ones too. `start` is a date, UTC; weeks start on Sunday, as PostHog's do by default. */
  readonly points: readonly { readonly start: string; readonly uniqueGroups: number }[];
}
