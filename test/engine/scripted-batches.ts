/** The same batches in every process. Each raises a counter of one group, so that a batch applied twice, or late, would show. */

import type { JsonObject } from "../../src/core/json.ts";
import { eventMessage, identifyMessage } from "./messages.ts";

export const BATCHES = 60;
export const EVENTS_PER_BATCH = 400;

export function scriptedBatch(batch: number): readonly JsonObject[] {
  const timestamp = new Date(Date.UTC(2026, 0, 1 + batch)).toISOString();
  const events = Array.from({ length: EVENTS_PER_BATCH }, (_, index) =>
    eventMessage({
      seed: `${batch}-${index}`,
      timestamp,
      groups: { project: `${batch}-${index}`, company: "acme.com" },
      properties: { filler: `${batch}${index}`.repeat(100) },
    }),
  );
  return [
    ...events,
    identifyMessage({ seed: `identify-${batch}`, timestamp, set: { [`batch_${batch}`]: true, batch } }),
  ];
}
