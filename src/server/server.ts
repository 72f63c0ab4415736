/** The HTTP server: the doors for calls, the doors in PostHog's form, health, and the door for operators. */

import { Buffer } from "node:buffer";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Clock } from "../core/clock.ts";
import type { Outcome } from "../core/destination.ts";
import { PrickleError, toPrickleError } from "../core/errors.ts";
import type { Logger } from "../core/observer.ts";
import type { Operations } from "../core/operations.ts";
import type { PushRequest } from "../core/source.ts";
import { addAdminDoor } from "./admin-door.ts";
import { errorAnswer } from "./answers.ts";
import { createBodyReader } from "./body.ts";
import { addHealthDoors } from "./health-doors.ts";
import { addPosthogDoors } from "./posthog-doors.ts";
import { addPosthogV1Door } from "./posthog-v1/door.ts";
import { addSegmentDoors } from "./segment-doors.ts";

/** What the doors lead to. */
export interface Doors {
  /** Resolves when everything is on disk. @throws NOT_FOUND for a source without webhook, and what its door and the ledger throw. */
  webhook(source: string, request: PushRequest): Promise<unknown>;
  /** Resolves when everything is on disk. */
  tracking(request: PushRequest): Promise<unknown>;
  /**
   * Messages in PostHog's form, each its JSON text, straight into the engine; `outcomes[i]` is for `bodies[i]`.
   * @throws NOT_FOUND without an engine, ENGINE_UNAVAILABLE: none was taken.
   */
  capture(bodies: readonly Uint8Array[], arrivedAt: number): Promise<readonly Outcome[]>;
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** @throws why calls cannot be taken now. */
  /** Which destinations take nothing, and why. */
  ready(): Promise<readonly string[]>;
}

export interface ServerDependencies {
  readonly doors: Doors;
  readonly operations: Operations;
  /** Opens the operations. */
  readonly adminToken: string;
  readonly version: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly limits?: Partial<ServerLimits>;
}

export interface ServerLimits {
  /** How long a sender may take for its headers, and for the whole request, in ms. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Of all bodies being read at a time. */
  readonly maxInFlightBytes: number;
}

export interface RunningServer {
  readonly url: string;
  /** Takes no more connections, lets requests in progress finish for at most `graceMs`, then closes what is left. Idempotent. */
  close(graceMs: number): Promise<void>;
}

/** Longer than a load balancer keeps its own connections, so that it is never us who closes one in use. */
const KEEP_ALIVE_MS = 65_000;
const STOPPING_RETRY_MS = 5_000;
const DEFAULT_LIMITS: ServerLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  maxInFlightBytes: 256 * 1024 * 1024,
};

/** Port 0: any that is free. @throws USAGE when the address cannot be listened on (its `cause` says why). */
export async function startServer(
  dependencies: ServerDependencies,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<RunningServer> {
  const limits = { ...DEFAULT_LIMITS, ...dependencies.limits };
  const server = fastify({
    logger: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: limits.requestTimeoutMs,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    http: { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: limits.headersTimeoutMs / 2 },
    routerOptions: { ignoreTrailingSlash: true },
  });
  leaveBodiesAlone(server);
  const stopping = { now: false };
  const parts = { ...dependencies, bodies: createBodyReader(limits.maxInFlightBytes), isStopping: () => stopping.now };
  server.addHook("onRequest", (_request, _reply, done) => {
    done(stopping.now ? stoppingError() : undefined);
  });
  // Else a connection whose last request ends while we close would be kept open, and with it the server.
  server.addHook("onSend", (_request, reply, payload, done) => {
    if (stopping.now) reply.header("connection", "close");
    done(null, payload);
  });
  addSegmentDoors(server, parts);
  addPosthogDoors(server, parts);
  addPosthogV1Door(server, parts);
  addHealthDoors(server, parts);
  addAdminDoor(server, parts);
  server.setErrorHandler((thrown, request, reply) => answerError(thrown, request, reply, dependencies.logger));
  server.setNotFoundHandler((request, reply) =>
    send(reply, new PrickleError("NOT_FOUND", `There is no door ${request.method} ${request.url.split("?", 1)[0]}.`)),
  );
  const url = await server.listen({ host, port }).catch((cause: unknown) => {
    throw new PrickleError("USAGE", `${host}:${port} cannot be listened on: ${toPrickleError(cause).message}`, {
      hint: "Choose another port: server.port in prickle.yaml, or --port.",
      cause,
    });
  });
  let closing: Promise<void> | null = null;
  return {
    url,
    close(graceMs) {
      stopping.now = true;
      closing ??= closeWithin(server, graceMs);
      return closing;
    },
  };
}

/** Signatures are over the bytes as they came: no content type is read on the way in. */
function leaveBodiesAlone(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", (_request, _payload, done) => done(null));
}

async function closeWithin(server: FastifyInstance, graceMs: number): Promise<void> {
  const timer = setTimeout(() => server.server.closeAllConnections(), graceMs);
  await server.close();
  clearTimeout(timer);
}

function stoppingError(): PrickleError {
  return new PrickleError("STOPPING", "prickle is shutting down.", {
    hint: "Come again; nothing was stored.",
    retryAfterMs: STOPPING_RETRY_MS,
  });
}

function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): FastifyReply {
  const error = ofHttp(thrown) ?? toPrickleError(thrown);
  if (error.code !== "INTERNAL") return send(reply, error);
  logger.error({ err: thrown, door: request.routeOptions.url }, "A door failed");
  return send(reply, new PrickleError("INTERNAL", "Something went wrong here; it is in the log."));
}

/** What fastify itself refuses: a URL it cannot read, a content type that is none. */
function ofHttp(thrown: unknown): PrickleError | null {
  if (!(thrown instanceof Error) || !("statusCode" in thrown)) return null;
  const status = Number(thrown.statusCode);
  return status >= 400 && status < 500 ? new PrickleError("INPUT_INVALID", thrown.message) : null;
}

function send(reply: FastifyReply, error: PrickleError): FastifyReply {
  const { status, headers, body } = errorAnswer(error);
  const { destroyed, readableEnded } = reply.request.raw;
  // Reading was given up: what may still come is not waited for.
  if (destroyed && !readableEnded) reply.header("connection", "close");
  return reply.code(status).headers(headers).send(Buffer.from(body));
}
