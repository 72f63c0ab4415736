/** Requests of PostHog's protocol v1 as they should be, to be changed where a test wants them wrong, and a server whose engine is a list. */

import { onTestFinished } from "vitest";
import { DELIVERED, type Outcome } from "../../src/core/destination.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Logger } from "../../src/core/observer.ts";
import type { Operations } from "../../src/core/operations.ts";
import { type Doors, type ServerLimits, startServer } from "../../src/server/server.ts";
import { createManualClock } from "../fakes/clock.ts";

export const V1_PATH = "/i/v1/analytics/events";
export const NOW = "2026-10-01T09:30:02.000Z";
export const REQUEST_ID = "0199f3a2-7000-7d3c-9c43-7f6f6a1d2e01";

export const V1_HEADERS = {
  authorization: "Bearer phc_project",
  "content-type": "application/json",
  "user-agent": "test/1.0.0",
  "posthog-sdk-info": "posthog/test/1.2.3",
  "posthog-attempt": "1",
  "posthog-request-id": REQUEST_ID,
  "posthog-request-timestamp": NOW,
};

/** A UUID that no other number has. */
export function uuidOf(number: number): string {
  return `0199f3a2-6c40-7b1e-9a51-${String(number).padStart(12, "0")}`;
}

export function v1Event(number: number, fields: object = {}): JsonObject {
  const at = "2026-10-01T09:30:00.000Z";
  return {
    event: "E",
    uuid: uuidOf(number),
    distinct_id: "ada",
    timestamp: at,
    options: {},
    properties: {},
    ...fields,
  };
}

export function v1Batch(...batch: readonly unknown[]) {
  return { created_at: NOW, batch };
}

/** What the engine says of each body; default: that it has it. */
type Capture = (bodies: readonly JsonObject[]) => readonly Outcome[] | Promise<readonly Outcome[]>;

export interface V1DoorOptions {
  readonly operations: Operations;
  readonly capture?: Capture;
  readonly limits?: Partial<ServerLimits>;
}

/** Stands at NOW. */
export async function startV1Door({ operations, capture = (all) => all.map(() => DELIVERED), limits }: V1DoorOptions) {
  const calls: JsonObject[][] = [];
  const errors: string[] = [];
  const doors: Doors = {
    webhook: () => Promise.resolve(),
    tracking: () => Promise.resolve(),
    async capture(bodies) {
      const parsed = bodies.map((body): JsonObject => JSON.parse(Buffer.from(body).toString()));
      calls.push(parsed);
      return capture(parsed);
    },
    metrics: () => Promise.resolve({ contentType: "text/plain", body: "" }),
    ready: () => Promise.resolve([]),
  };
  const quiet = () => undefined;
  const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: (_, message) => errors.push(message) };
  const clock = createManualClock(Date.parse(NOW));
  const dependencies = { doors, operations, adminToken: "token", version: "test", logger, clock };
  const server = await startServer({ ...dependencies, ...(limits && { limits }) }, { host: "127.0.0.1", port: 0 });
  onTestFinished(() => server.close(0));
  return { url: server.url, calls, errors };
}
