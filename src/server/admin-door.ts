/** The door for operators: the CLI asks here while a server holds the data directory. */

import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import * as z from "zod";
import { PrickleError, toPrickleError } from "../core/errors.ts";
import type { Operations } from "../core/operations.ts";
import {
  ADMIN_METHODS,
  ADMIN_PREFIX,
  type AdminMethod,
  BACKFILL,
  backfillRequest,
  SYNC,
  syncRequest,
  VERIFY,
  verifyRequest,
} from "./admin-methods.ts";
import type { BodyReader } from "./body.ts";

export interface AdminDoorParts {
  readonly operations: Operations;
  readonly adminToken: string;
  readonly bodies: BodyReader;
}

const LIMITS = { maxWireBytes: 2 * 1024 * 1024, maxBytes: 2 * 1024 * 1024 };

export function addAdminDoor(server: FastifyInstance, { operations, adminToken, bodies }: AdminDoorParts): void {
  const authorize = async ({ headers }: FastifyRequest) => {
    if (isSame(headers.authorization ?? "", `Bearer ${adminToken}`)) return;
    throw new PrickleError("UNAUTHORIZED", "The operator's token is missing or wrong.", {
      hint: "Run the command as the user that runs the server: the token is in the data directory.",
    });
  };
  const read = async (request: FastifyRequest): Promise<unknown> => {
    const text = (await bodies.read(request.raw, LIMITS)).toString();
    try {
      return JSON.parse(text);
    } catch {
      throw new PrickleError("INPUT_INVALID", "The body is not JSON.");
    }
  };

  for (const method of Object.keys(ADMIN_METHODS) as AdminMethod[]) {
    server.post(ADMIN_PREFIX + method, { onRequest: authorize }, async (request, reply) => {
      const input = parse(ADMIN_METHODS[method], await read(request));
      // The schema checked just now is the one of this method's input.
      const answer = await (operations[method] as (input: unknown) => Promise<unknown>)(input);
      return reply.header("content-type", "application/json").send(JSON.stringify(answer));
    });
  }
  server.post(ADMIN_PREFIX + BACKFILL, { onRequest: authorize }, async (request, reply) => {
    const input = parse(backfillRequest, await read(request));
    return stream((observe, signal) => operations.backfill(input, observe, signal), reply);
  });
  server.post(ADMIN_PREFIX + SYNC, { onRequest: authorize }, async (request, reply) => {
    const input = parse(syncRequest, await read(request));
    return stream((observe, signal) => operations.sync(input, observe, signal), reply);
  });
  server.post(ADMIN_PREFIX + VERIFY, { onRequest: authorize }, async (request, reply) => {
    const input = parse(verifyRequest, await read(request));
    return stream((observe, signal) => operations.verify(input, observe, signal), reply);
  });
  server.post<{ Params: { name: string } }>("/sources/:name/sync", { onRequest: authorize }, async (request, reply) => {
    const how = request.headers["content-length"] === "0" ? {} : await read(request);
    const input = parse(syncRequest.omit({ source: true, isDryRun: true }), how);
    const begun = await operations.startSync({ ...input, source: request.params.name });
    return reply.code(202).header("content-type", "application/json").send(JSON.stringify(begun));
  });
}

type Work = (observe: (progress: object) => void, signal: AbortSignal) => Promise<object>;

/** Lines of JSON: `{progress}`, then `{summary}` or `{error}`. The work is stopped when nobody listens any more. */
async function stream(work: Work, reply: FastifyReply): Promise<FastifyReply> {
  reply.hijack();
  const response = reply.raw;
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  try {
    const observe = (progress: object) => {
      if (!response.writableNeedDrain) response.write(line({ progress }));
    };
    const summary = await work(observe, gone.signal);
    await end(response, { summary });
  } catch (thrown) {
    const { code, message, hint } = toPrickleError(thrown);
    await end(response, { error: { code, message, hint } });
  }
  return reply;
}

async function end(response: ServerResponse, last: object): Promise<void> {
  if (response.destroyed) return;
  response.end(line(last));
  await once(response, "close");
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const { success, data, error } = schema.safeParse(input);
  if (success) return data;
  throw new PrickleError("INPUT_INVALID", z.prettifyError(error));
}

/** In constant time, also for texts of different length. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
