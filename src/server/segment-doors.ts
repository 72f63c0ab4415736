/** The doors for Segment: webhooks per source, and the tracking API its SDKs speak. */

import type { IncomingHttpHeaders } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../core/clock.ts";
import type { PushRequest } from "../core/source.ts";
import { SUCCESS_ANSWER } from "./answers.ts";
import type { BodyLimits, BodyReader } from "./body.ts";
import type { Doors } from "./server.ts";

export interface SegmentDoorParts {
  readonly doors: Pick<Doors, "webhook" | "tracking">;
  readonly bodies: BodyReader;
  readonly clock: Clock;
}

/** Segment's own bound is 500 KB a batch, which the door checks; this one keeps what is larger from being read at all. */
const TRACKING_LIMITS: BodyLimits = { maxWireBytes: 1024 * 1024, maxBytes: 1024 * 1024 };
/** Segment batches up to 4,000 calls. */
const WEBHOOK_LIMITS: BodyLimits = { maxWireBytes: 8 * 1024 * 1024, maxBytes: 16 * 1024 * 1024 };
/** Whichever the customer chose in Segment. */
const WEBHOOK_METHODS = ["POST", "PUT", "PATCH"];
const TRACKING_PREFIX = "/v1/";

export function addSegmentDoors(server: FastifyInstance, { doors, bodies, clock }: SegmentDoorParts): void {
  async function read(request: FastifyRequest, path: string, limits: BodyLimits): Promise<PushRequest> {
    const body = await bodies.read(request.raw, limits);
    return { path, headers: singleHeaders(request.headers), body, receivedAt: clock.now() };
  }

  server.route<{ Params: { source: string } }>({
    method: WEBHOOK_METHODS,
    url: "/webhooks/:source",
    handler: async (request, reply) => {
      await doors.webhook(request.params.source, await read(request, "", WEBHOOK_LIMITS));
      return succeed(reply);
    },
  });

  server.post<{ Params: { "*": string } }>(`${TRACKING_PREFIX}*`, async (request, reply) => {
    allowAnyOrigin(request, reply);
    await doors.tracking(await read(request, request.params["*"], TRACKING_LIMITS));
    return succeed(reply);
  });

  server.options(`${TRACKING_PREFIX}*`, async (request, reply) => answerPreflight(request, reply));
}

/** Browsers may call: a write key is public, and nothing is told in return. */
export function allowAnyOrigin(request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  if (origin === undefined) return;
  reply
    .header("access-control-allow-origin", origin)
    .header("access-control-allow-credentials", "true")
    .header("vary", "origin");
}

export function answerPreflight(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  allowAnyOrigin(request, reply);
  return reply
    .code(204)
    .header("access-control-allow-methods", "POST, OPTIONS")
    .header(
      "access-control-allow-headers",
      request.headers["access-control-request-headers"] ?? "content-type, authorization",
    )
    .header("access-control-max-age", "86400")
    .send();
}

/** Given to fastify as it is: a reply returned would be waited for until its last byte is out. */
function succeed(reply: FastifyReply): string {
  reply.header("content-type", "application/json");
  return SUCCESS_ANSWER;
}

function singleHeaders(headers: IncomingHttpHeaders): PushRequest["headers"] {
  const single: Record<string, string | undefined> = {};
  for (const name in headers) {
    const value = headers[name];
    single[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return single;
}
