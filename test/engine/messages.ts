/** Messages as they reach the engine, and a way to put them there. */

import { createHash } from "node:crypto";
import type { Outcome } from "../../src/core/destination.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Logger } from "../../src/core/observer.ts";
import type { Engine } from "../../src/engine/open.ts";

export const ARRIVED_AT = Date.UTC(2026, 10, 1, 12);

export const silent: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

/** The same seed, the same uuid. */
export function uuidFrom(seed: string | number): string {
  const hex = createHash("sha1").update(String(seed)).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export interface EventFields {
  readonly event?: string;
  readonly seed: string | number;
  readonly timestamp?: string;
  readonly groups?: Readonly<Record<string, string | number>>;
  readonly properties?: JsonObject;
}

export function eventMessage({ event = "Clicked", seed, timestamp, groups, properties }: EventFields): JsonObject {
  return {
    event,
    distinct_id: "user-1",
    uuid: uuidFrom(seed),
    timestamp: timestamp ?? "2026-10-01T00:00:00.000Z",
    properties: { ...properties, ...(groups && { $groups: groups }) },
  };
}

export interface IdentifyFields {
  readonly seed: string | number;
  readonly groupType?: string;
  readonly groupKey?: string;
  readonly timestamp?: string;
  readonly set: JsonObject;
}

export function identifyMessage({
  seed,
  groupType = "company",
  groupKey = "acme.com",
  timestamp = "2026-10-01T00:00:00.000Z",
  set,
}: IdentifyFields): JsonObject {
  return {
    event: "$groupidentify",
    distinct_id: "$groups_sync_00",
    uuid: uuidFrom(seed),
    timestamp,
    properties: { $group_type: groupType, $group_key: groupKey, $group_set: set },
  };
}

export function appendMessages(
  engine: Engine,
  messages: readonly JsonObject[],
  arrivedAt = ARRIVED_AT,
): Promise<readonly Outcome[]> {
  return engine.append(
    messages.map((message) => Buffer.from(JSON.stringify(message))),
    arrivedAt,
  );
}
