/** The headers of a request of protocol v1. Source: facts on PostHog, 3.1 (2026-11). */

import type { IncomingHttpHeaders } from "node:http";
import { isUuidText } from "../../core/uuid.ts";
import { tokenProblem } from "../project-token.ts";
import { Refusal } from "./refusal.ts";
import { readRfc3339 } from "./rfc-3339.ts";

export interface Head {
  /** By the sender's clock, ms UTC. */
  readonly requestedAt: number;
  /** Who sends; null: it does not say so in the form it should. */
  readonly library: Library | null;
}

interface Library {
  readonly name: string;
  readonly version: string;
}

const REQUIRED = [
  "content-type",
  "user-agent",
  "posthog-sdk-info",
  "posthog-attempt",
  "posthog-request-id",
  "posthog-request-timestamp",
];
const ENCODINGS: ReadonlySet<string> = new Set(["gzip", "deflate", "br", "zstd"]);
const MAX_SDK_INFO_CHARACTERS = 200;
const BEARER = /^bearer /i;
const ATTEMPT = /^0*[1-9]\d*$/;

/** @throws Refusal: authorization comes first, then all that is missing, then each value. */
export function readHead(headers: IncomingHttpHeaders): Head {
  const value = (name: string) => String(headers[name] ?? "");
  if (headers.authorization === undefined) {
    throw new Refusal("missing_authorization", "The request has no Authorization header.");
  }
  const missing = REQUIRED.filter((name) => headers[name] === undefined);
  if (headers["user-agent"] === "") missing.push("user-agent");
  if (missing.length > 0) throw new Refusal("missing_required_headers", `Headers are missing: ${missing.join(", ")}.`);
  checkToken(value("authorization"));
  checkContent(value("content-type"), headers["content-encoding"]);
  if (requestIdOf(headers) === null) throw invalid("PostHog-Request-Id", "a UUID");
  if (!ATTEMPT.test(value("posthog-attempt"))) throw invalid("PostHog-Attempt", "a whole number from 1");
  const requestedAt = readRfc3339(value("posthog-request-timestamp"));
  if (requestedAt === null) throw invalid("PostHog-Request-Timestamp", "a time of RFC 3339");
  return { requestedAt, library: readLibrary(value("posthog-sdk-info")) };
}

/** As sent; null where it is no UUID. */
export function requestIdOf(headers: IncomingHttpHeaders): string | null {
  const id = headers["posthog-request-id"];
  return typeof id === "string" && isUuidText(id) ? id : null;
}

function checkToken(authorization: string): void {
  if (!BEARER.test(authorization)) throw invalid("Authorization", "Bearer and a project token");
  const problem = tokenProblem(authorization.replace(BEARER, ""));
  if (problem) throw new Refusal("invalid_api_token", `This is no project token: ${problem}.`);
}

function checkContent(type: string, encoding: string | undefined): void {
  const mime = type.split(";", 1)[0]?.trim().toLowerCase();
  if (mime !== "application/json") {
    throw new Refusal("unsupported_content_type", "Content-Type: application/json is allowed.");
  }
  if (encoding === undefined || ENCODINGS.has(encoding.toLowerCase())) return;
  throw new Refusal("unsupported_encoding", `Content-Encoding: ${[...ENCODINGS].join(", ")} or none is allowed.`);
}

/** Up to the last slash its name, which may hold others. */
function readLibrary(info: string): Library | null {
  if (info.length > MAX_SDK_INFO_CHARACTERS) return null;
  const cut = info.lastIndexOf("/");
  const [name, version] = [info.slice(0, Math.max(0, cut)).trim(), info.slice(cut + 1).trim()];
  return name === "" || version === "" ? null : { name, version };
}

function invalid(header: string, allowed: string): Refusal {
  return new Refusal("invalid_header_value", `${header}: ${allowed} is allowed.`);
}
