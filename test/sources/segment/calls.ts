/** Builders of calls and requests, for the tests of the Segment doors. */

import { createHmac } from "node:crypto";
import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import type { PushRequest } from "../../../src/core/source.ts";

export const RECEIVED_AT = Date.parse("2026-11-23T12:00:00.000Z");
export const WRITE_KEY = "wk_123";

export function groupCall(fields: JsonObject = {}): JsonObject {
  return {
    type: "group",
    messageId: "m1",
    userId: "u1",
    groupId: "g1",
    traits: { name: "Initech" },
    timestamp: "2026-11-23T11:00:00.000Z",
    ...fields,
  };
}

export function trackCall(fields: JsonObject = {}): JsonObject {
  return {
    type: "track",
    messageId: "m2",
    userId: "u1",
    event: "Song Played",
    timestamp: "2026-11-23T11:00:00.000Z",
    ...fields,
  };
}

export interface RequestParts {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as it is, anything else as JSON. */
  readonly body: JsonValue | Uint8Array;
}

export function request({ path = "", headers = {}, body }: RequestParts): PushRequest {
  const bytes = body instanceof Uint8Array ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  return { path, headers, body: bytes, receivedAt: RECEIVED_AT };
}

export function basic(user: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(user).toString("base64")}` };
}

export function sign(secret: string, message: string): string {
  return createHmac("sha1", secret).update(message).digest("hex");
}

/** `levels` arrays in one another, as JSON text. */
export function nested(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}
