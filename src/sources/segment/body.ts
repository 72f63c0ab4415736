/** The body of a request as JSON. */

import { PrickleError } from "../../core/errors.ts";
import { type JsonValue, jsonErrorPlace } from "../../core/json.ts";
import type { Rejection, SourceRecord } from "../../core/record.ts";
import type { PushIntake } from "../../core/source.ts";
import { isRejection } from "./call.ts";

const BYTE_ORDER_MARK = "\ufeff";

/** @throws INPUT_INVALID, which tells the place but never repeats the content. */
export function parseBody(body: Uint8Array): JsonValue {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  try {
    return JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  } catch (cause) {
    const what = text === "" ? "it is empty" : `${text.length} characters, ${jsonErrorPlace(cause)}`;
    throw new PrickleError("INPUT_INVALID", `The body is not JSON: ${what}.`, {
      hint: "Send one call or a batch of calls as application/json.",
    });
  }
}

export function intakeOf(source: string, outcomes: Iterable<SourceRecord | Rejection>): PushIntake {
  const records: SourceRecord[] = [];
  const rejections: Rejection[] = [];
  for (const outcome of outcomes) {
    if (isRejection(outcome)) rejections.push(outcome);
    else records.push(outcome);
  }
  return { source, records, rejections };
}
