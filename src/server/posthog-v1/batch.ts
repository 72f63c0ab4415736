/** The body of a request of protocol v1, from its text to its events, none of which is judged yet. Source: facts on PostHog, 3.2 and 3.6. */

import * as z from "zod";
import { jsonErrorPlace } from "../../core/json.ts";
import { parseSafely } from "../../core/safe-parsing.ts";
import { isUuidText } from "../../core/uuid.ts";
import { Refusal } from "./refusal.ts";
import { readRfc3339 } from "./rfc-3339.ts";

const eventShape = z.object({
  event: z.string(),
  uuid: z.string().trim().toLowerCase(),
  distinct_id: z.string().trim(),
  timestamp: z.string(),
  session_id: z.string().nullish(),
  window_id: z.string().nullish(),
  options: z.unknown().optional(),
  properties: z.unknown().optional(),
});

const batchShape = z.object({
  created_at: z.string(),
  historical_migration: z.boolean().optional(),
  batch: z.array(eventShape),
});

/** With the uuid in lower case, as results have it. */
export type SentEvent = z.output<typeof eventShape>;

/** At least one event, each with a uuid of its own. @throws Refusal */
export function readBatch(body: string): readonly SentEvent[] {
  if (body === "") throw new Refusal("empty_body", "The request has no body.");
  const { created_at, batch } = readShape(body);
  if (readRfc3339(created_at) === null)
    throw new Refusal("invalid_batch", "created_at: a time of RFC 3339 is allowed.");
  if (batch.length === 0) throw new Refusal("empty_batch", "batch: a list with at least one event is allowed.");
  checkUuids(batch);
  return batch;
}

function readShape(body: string): z.output<typeof batchShape> {
  const parsed = parseSafely(batchShape, parseJson(body));
  if (parsed.success) return parsed.data;
  const [{ path, message } = { path: [], message: "it cannot be read" }] = parsed.issues;
  throw new Refusal("request_parsing_error", `${path.map(String).join(".") || "the body"}: ${message}.`);
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (thrown) {
    throw new Refusal("request_parsing_error", `The body is not JSON: ${jsonErrorPlace(thrown)}.`);
  }
}

function checkUuids(batch: readonly SentEvent[]): void {
  const seen = new Set<string>();
  for (const [index, { uuid }] of batch.entries()) {
    if (uuid === "") throw new Refusal("missing_event_uuid", `batch.${index}: the event has no uuid.`);
    if (!isUuidText(uuid)) throw new Refusal("invalid_event_uuid", `batch.${index}: its uuid is no UUID.`);
    if (seen.has(uuid)) throw new Refusal("duplicate_event_uuid", `batch.${index}: ${uuid} comes twice.`);
    seen.add(uuid);
  }
}
