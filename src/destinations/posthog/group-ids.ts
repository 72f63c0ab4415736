/** The distinct ids that carry group identifies (facts on PostHog, 6.5). */

import { fittingDistinctId } from "../../core/group.ts";

/**
 * `pool`: a few, by group, as they were committed: ordered per group, few persons, no hot key. `per_group`: as PostHog's
 * SDKs, one person a group. `static`: one for all, which PostHog slows down when there are many.
 */
export type GroupIdentifyIds = "pool" | "per_group" | "static";

const STATIC_ID = "groups_setup_id";

/** Null: as they were committed. */
export function groupIdentifyIds(ids: GroupIdentifyIds): ((groupType: string, groupKey: string) => string) | null {
  switch (ids) {
    case "pool":
      return null;
    case "per_group":
      return (groupType, groupKey) => fittingDistinctId(`$${groupType}_${groupKey}`);
    case "static":
      return () => STATIC_ID;
  }
}
