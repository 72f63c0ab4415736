/**
 * The doors in PostHog's form, protocol v0: what a PostHog client sends goes straight into the engine. Source: facts on
 * PostHog, 1 and 2.1–2.2. Times are taken as stated: the clients of an embedded engine share its clock.
 */

import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Clock } from "../core/clock.ts";
import { PrickleError } from "../core/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue, jsonErrorPlace } from "../core/json.ts";
import type { BodyLimits, BodyReader } from "./body.ts";
import { tokenProblem } from "./project-token.ts";
import { allowAnyOrigin, answerPreflight } from "./segment-doors.ts";
import type { Doors } from "./server.ts";
import { isGzip } from "./unpack.ts";

export interface PosthogDoorParts {
  readonly doors: Pick<Doors, "capture">;
  readonly bodies: BodyReader;
  readonly clock: Clock;
}

const MB = 1024 * 1024;
const LIMITS: BodyLimits = { maxWireBytes: 20 * MB, maxBytes: 100 * MB };
const PATHS = ["/batch", "/i/v0/e", "/e", "/capture", "/track", "/engage"];

export function addPosthogDoors(server: FastifyInstance, { doors, bodies, clock }: PosthogDoorParts): void {
  for (const path of PATHS) {
    server.post(path, async (request, reply) => {
      allowAnyOrigin(request, reply);
      const events = eventsOf(await readJson(request, bodies));
      await doors.capture(events.map(textOf), clock.now());
      return { status: "Ok" };
    });
    server.options(path, async (request, reply) => answerPreflight(request, reply));
  }
}

/** gzip is known by its first bytes, whatever the headers say; old browser SDKs send a form with base64. */
async function readJson(request: FastifyRequest, bodies: BodyReader): Promise<JsonValue> {
  const body = await bodies.read(request.raw, LIMITS);
  const bytes = isGzip(body) ? await bodies.unpack(body, "gzip", LIMITS.maxBytes) : body;
  const text = bytes.toString();
  try {
    return JSON.parse(text.startsWith("data=") ? fromForm(text) : text);
  } catch (thrown) {
    throw new PrickleError("INPUT_INVALID", `The body is not JSON: ${jsonErrorPlace(thrown)}.`);
  }
}

function fromForm(text: string): string {
  const data = new URLSearchParams(text).get("data") ?? "";
  return data.trimStart().startsWith("{") || data.trimStart().startsWith("[")
    ? data
    : Buffer.from(data, "base64").toString();
}

/** @throws INPUT_INVALID, UNAUTHORIZED: one event that is none refuses the request, as PostHog does. */
function eventsOf(body: JsonValue): readonly JsonObject[] {
  const envelope = isJsonObject(body) ? body : {};
  const list = Array.isArray(body) ? body : (envelope.batch ?? [body]);
  if (!Array.isArray(list) || list.length === 0) throw invalid("batch", "a list of events with at least one in it");
  return list.map((event, index) => {
    if (!isJsonObject(event)) throw invalid(`event ${index}`, "an object");
    if (typeof event.event !== "string" || event.event === "")
      throw invalid(`event ${index}`, 'an object with a name in "event"');
    checkToken(envelope.api_key ?? envelope.token ?? tokenOf(event));
    return event;
  });
}

/** JSON.parse takes any depth, JSON.stringify does not. @throws INPUT_INVALID */
function textOf(event: JsonObject, index: number): Buffer {
  try {
    return Buffer.from(JSON.stringify(event));
  } catch {
    throw invalid(`event ${index}`, "an object that nests less deeply");
  }
}

function tokenOf({ token, api_key, $token, properties }: JsonObject): JsonValue | undefined {
  return token ?? api_key ?? $token ?? (isJsonObject(properties) ? properties.token : undefined);
}

function checkToken(token: JsonValue | undefined): void {
  if (tokenProblem(typeof token === "string" ? token : "") === null) return;
  throw new PrickleError("UNAUTHORIZED", "The request carries no project token.", {
    hint: 'Put a project token into "api_key": any will do here, but a personal key (phx_…).',
  });
}

function invalid(where: string, allowed: string): PrickleError {
  return new PrickleError("INPUT_INVALID", `${where}: ${allowed} is allowed.`);
}
