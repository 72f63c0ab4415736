/**
 * The door that speaks PostHog's protocol v1, straight into the engine, with a result for each event. Source: facts on
 * PostHog, 3 (2026-11).
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../../core/clock.ts";
import type { Outcome } from "../../core/destination.ts";
import { PrickleError } from "../../core/errors.ts";
import type { Logger } from "../../core/observer.ts";
import type { BodyLimits, BodyReader } from "../body.ts";
import { allowAnyOrigin, answerPreflight } from "../segment-doors.ts";
import type { Doors } from "../server.ts";
import { readBatch, type SentEvent } from "./batch.ts";
import { type Dropped, judge, type Kept } from "./event.ts";
import { readHead, requestIdOf } from "./head.ts";
import { answerOf, refusalOf } from "./refusal.ts";

export interface PosthogV1DoorParts {
  readonly doors: Pick<Doors, "capture">;
  readonly bodies: BodyReader;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Result {
  readonly result: "ok" | "drop" | "retry";
  readonly details?: string;
}

const PATH = "/i/v1/analytics/events";
const LIMITS: BodyLimits = { maxWireBytes: 10_485_760, maxBytes: 52_428_800 };
const RETRY_AFTER_SECONDS = "1";
const NOT_PERSISTED: Result = { result: "retry", details: "not_persisted" };

export function addPosthogV1Door(server: FastifyInstance, { doors, bodies, clock, logger }: PosthogV1DoorParts): void {
  const errorHandler = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) =>
    refuse(thrown, request, reply, logger);

  server.post(PATH, { errorHandler }, async (request, reply) => {
    const head = readHead(request.headers);
    const batch = readBatch((await bodies.read(request.raw, LIMITS)).toString());
    const now = clock.now();
    const judged = batch.map((event) => judge(event, { ...head, now }));
    const results = await store(judged, (kept) => doors.capture(kept, now));
    if (results.includes(NOT_PERSISTED)) reply.header("retry-after", RETRY_AFTER_SECONDS);
    greet(request, reply);
    return { results: byUuid(batch, results) };
  });
  server.options(PATH, async (request, reply) => answerPreflight(request, reply));
}

/** Only what passed reaches the engine. @throws what `capture` throws, unless it is worth trying again. */
async function store(
  judged: readonly (Kept | Dropped)[],
  capture: (bodies: readonly Uint8Array[]) => Promise<readonly Outcome[]>,
): Promise<readonly Result[]> {
  const bodies = judged.flatMap((one) => ("body" in one ? [one.body] : []));
  const outcomes = bodies.length === 0 ? [] : await capture(bodies).catch(asNotTaken);
  let next = 0;
  return judged.map((one) =>
    "details" in one ? { result: "drop", details: one.details } : resultOf(outcomes[next++]),
  );
}

/** No outcome is one of none. */
function asNotTaken(thrown: unknown): readonly Outcome[] {
  if (thrown instanceof PrickleError && thrown.retryable) return [];
  throw thrown;
}

function resultOf(outcome: Outcome | undefined): Result {
  switch (outcome?.kind) {
    case "delivered":
      return outcome.code === undefined ? OK : { result: "ok", details: outcome.code };
    case "dead":
      return { result: "drop", details: outcome.code ?? "rejected" };
    default:
      return NOT_PERSISTED;
  }
}

const OK: Result = { result: "ok" };

/** In the order of the batch: no uuid is a number, whose place would be the first. */
function byUuid(batch: readonly SentEvent[], results: readonly Result[]): Readonly<Record<string, Result>> {
  return Object.fromEntries(batch.map(({ uuid }, at) => [uuid, results[at] ?? NOT_PERSISTED]));
}

function refuse(thrown: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): FastifyReply {
  const refusal = refusalOf(thrown);
  if (refusal.tag === "internal_error") logger.error({ err: thrown, door: PATH }, "A door failed");
  const { status, isRetryable, body } = answerOf(refusal);
  if (isRetryable) reply.header("retry-after", RETRY_AFTER_SECONDS);
  greet(request, reply);
  return reply.code(status).send(body);
}

/** What every answer carries. */
function greet(request: FastifyRequest, reply: FastifyReply): void {
  allowAnyOrigin(request, reply);
  const id = requestIdOf(request.headers);
  if (id !== null) reply.header("posthog-request-id", id);
}
