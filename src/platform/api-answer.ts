/** Reads what an HTTP API answered: its JSON by a schema, its clock, and what its status means where an API says nothing special. */

import type * as z from "zod";
import type { Clock } from "../core/clock.ts";
import { PrickleError } from "../core/errors.ts";
import { jsonErrorPlace } from "../core/json.ts";
import { parseRetryAfterMs } from "../core/retry.ts";
import { parseSafely } from "../core/safe-parsing.ts";
import type { ApiCall, Verdict } from "./api-client.ts";
import type { HttpAnswer } from "./http-client.ts";

/**
 * The body of an answer, as `schema` reads it. `place` names it in messages: `Pipedrive, GET /api/v2/organizations`.
 * @throws SOURCE_UNAVAILABLE when it is not JSON, or not of that shape
 */
export function readAnswer<Schema extends z.ZodType>(
  { body }: Pick<HttpAnswer, "body">,
  schema: Schema,
  place: string,
): z.output<Schema> {
  const parsed = parseSafely(schema, jsonOf(body, place));
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.issues[0] ?? { path: [], message: "" };
  throw unexpected(place, `${path.length === 0 ? "the whole" : path.join(".")}: ${message}`);
}

/** When it was given, by the peer's clock, ms UTC; by our own where it does not say. */
export function answeredAt({ headers }: Pick<HttpAnswer, "headers">, clock: Pick<Clock, "now">): number {
  const said = Date.parse(headers.date ?? "");
  return Number.isNaN(said) ? clock.now() : said;
}

/** `detail`: what the peer says of its refusal, if it says something that may be shown. */
export function judgeStatus(
  { status, headers }: HttpAnswer,
  { method, path }: Pick<ApiCall, "method" | "path">,
  { peer, now, detail = "" }: { readonly peer: string; readonly now: number; readonly detail?: string },
): Verdict {
  if (status >= 200 && status < 300) return { kind: "ok" };
  const reason = `${peer} answered ${status} to ${method} ${path.split("?")[0]}${detail === "" ? "" : `: ${detail}`}.`;
  const fail = (code: "SOURCE_REFUSED" | "SOURCE_CHANGED", hint: string) =>
    ({ kind: "fail", error: new PrickleError(code, reason, { hint }) }) as const;
  const afterMs = parseRetryAfterMs(headers["retry-after"], now);
  if (status === 401) return { kind: "renew", error: fail("SOURCE_REFUSED", "Are the credentials right?").error };
  if (status === 403) return fail("SOURCE_REFUSED", "May these credentials read what is asked for?");
  if (status === 429) return { kind: "again", reason, afterMs, slowDown: true };
  if (status === 408 || status === 423 || status >= 500) return { kind: "again", reason, afterMs };
  return fail("SOURCE_CHANGED", "Is the address right, and is there still what the configuration names?");
}

/** A sentence of the peer's own, cut to what fits a message. */
export function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

function jsonOf(body: string, place: string): unknown {
  try {
    return JSON.parse(body);
  } catch (thrown) {
    throw unexpected(place, `no JSON, ${jsonErrorPlace(thrown)}`);
  }
}

function unexpected(place: string, found: string): PrickleError {
  return new PrickleError("SOURCE_UNAVAILABLE", `${place} answered not as it should: ${found}.`, {
    hint: "Nothing is lost: the next sync goes on from here.",
  });
}
