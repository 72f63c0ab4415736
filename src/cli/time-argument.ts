/** For commander: a date or a time as people write it. */

import { DateTime } from "luxon";
import { PrickleError } from "../core/errors.ts";

/** ms UTC; without a zone the time is meant in UTC. @throws USAGE */
export function timeArgument(text: string): number {
  const time = DateTime.fromISO(text, { zone: "utc" });
  if (time.isValid) return time.toMillis();
  throw new PrickleError(
    "USAGE",
    `found ${JSON.stringify(text)}; a time such as 2026-11-01 or 2026-11-01T12:00Z is allowed`,
  );
}
