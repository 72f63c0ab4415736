/** What machines ask: whether the process lives, whether it takes calls, what it counts; and what is here. */

import type { FastifyInstance } from "fastify";
import { toPrickleError } from "../core/errors.ts";
import type { Doors } from "./server.ts";

export interface HealthDoorParts {
  readonly doors: Pick<Doors, "metrics" | "ready">;
  readonly version: string;
  readonly isStopping: () => boolean;
}

const DOORS = {
  "POST /webhooks/<source>": "Segment's webhooks, signed",
  "POST /v1/<track|identify|group|page|screen|alias|batch|import>": "Segment's tracking API",
  "POST /batch/, /i/v0/e/, /capture/": "PostHog's clients, straight into the engine",
  "POST /i/v1/analytics/events": "the same by protocol v1, with a result for each event",
  "GET /healthz": "the process lives",
  "GET /readyz": "calls are taken",
  "GET /metrics": "counts for Prometheus",
};

export function addHealthDoors(server: FastifyInstance, { doors, version, isStopping }: HealthDoorParts): void {
  server.get("/", async () => ({ name: "prickle", version, doors: DOORS }));

  server.get("/healthz", async () => ({ status: "ok" }));

  server.get("/readyz", async (_request, reply) => {
    const found = isStopping() ? "prickle is shutting down" : await doors.ready().catch(messageOf);
    if (typeof found === "string")
      return reply.code(503).header("retry-after", "1").send({ status: "not ready", reason: found });
    return found.length === 0 ? { status: "ready" } : { status: "ready", heldBack: found };
  });

  server.get("/metrics", async (_request, reply) => {
    const { contentType, body } = await doors.metrics();
    return reply.header("content-type", contentType).send(body);
  });
}

function messageOf(thrown: unknown): string {
  return toPrickleError(thrown).message;
}
