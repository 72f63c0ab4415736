/** The door for Segment's webhook destinations: classic, Actions and Extensible. Source: facts on Segment, 1. */

import { PrickleError } from "../../core/errors.ts";
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import type { PushDoor, PushRequest } from "../../core/source.ts";
import { intakeOf, parseBody } from "./body.ts";
import { readCall, rejectCall } from "./call.ts";
import { isSameSecret, isSigned } from "./signature.ts";

export interface WebhookDoorOptions {
  readonly source: string;
  /** Any of them may have signed: two while a secret is being changed. None: signatures are not looked at. */
  readonly secrets: readonly string[];
  /** What `Authorization: Bearer …` must carry; null: not looked at. */
  readonly bearer: string | null;
}

/** Segment sends 4,000 at most; the bound keeps one request from becoming a flood of rejections. */
const MAX_CALLS = 10_000;

/**
 * Takes a single call, an array of calls and `[{"json":call}]`. Whatever is valid JSON is taken; what is no call in it
 * becomes a rejection, since an error would lose its neighbours. With neither secret nor bearer every request passes.
 */
export function createWebhookDoor(options: WebhookDoorOptions): PushDoor {
  const { source } = options;
  return (request) => {
    authorize(request, options);
    const { receivedAt } = request;
    const body = parseBody(request.body);
    const values = Array.isArray(body) ? body : [body];
    if (values.length > MAX_CALLS)
      return intakeOf(source, [rejectCall(body, { source, receivedAt }, tooLong(values.length))]);
    return intakeOf(
      source,
      values.map((value, index) => {
        const position = `${receivedAt}/${index}`;
        // Segment corrected the times already: `sentAt` is not for us.
        return readCall(unwrap(value), {
          source,
          receivedAt,
          sentAt: null,
          position,
          maxBytes: Number.POSITIVE_INFINITY,
        });
      }),
    );
  };
}

function tooLong(calls: number) {
  return { reason: "batch_too_long", detail: `The batch has ${calls} calls; ${MAX_CALLS} are allowed.` } as const;
}

/** The Extensible Webhook puts each call of a batch into `json`. */
function unwrap(value: JsonValue): JsonValue {
  if (isJsonObject(value) && value.type === undefined && isJsonObject(value.json)) return value.json;
  return value;
}

function authorize({ headers, body }: PushRequest, { secrets, bearer }: WebhookDoorOptions): void {
  if (bearer !== null) {
    const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
    if (given === undefined || !isSameSecret(given, bearer)) {
      throw unauthorized(
        given === undefined ? "The request has no bearer token." : "The bearer token is wrong.",
        "Set the header Authorization: Bearer <token> in the mapping of the webhook.",
      );
    }
  }
  if (secrets.length > 0 && !isSigned(body, headers["x-signature"], secrets)) {
    throw unauthorized(
      headers["x-signature"] === undefined ? "The request has no X-Signature." : "The X-Signature is wrong.",
      "Set the shared secret of the webhook in Segment to the one of this source in prickle.yaml.",
    );
  }
}

function unauthorized(message: string, hint: string): PrickleError {
  return new PrickleError("UNAUTHORIZED", message, { hint });
}
