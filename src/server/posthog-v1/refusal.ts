/** Why protocol v1 refuses a request as a whole, and the form in which it says so. Source: facts on PostHog, 3.5 (2026-11). */

import { type PrickleError, toPrickleError } from "../../core/errors.ts";

/** Each with its HTTP status. */
const STATUS = {
  missing_required_headers: 400,
  invalid_header_value: 400,
  request_decoding_error: 400,
  request_parsing_error: 400,
  empty_body: 400,
  empty_batch: 400,
  invalid_batch: 400,
  missing_event_uuid: 400,
  invalid_event_uuid: 400,
  duplicate_event_uuid: 400,
  missing_authorization: 401,
  invalid_api_token: 401,
  /** prickle's own: there is no engine here. */
  not_found: 404,
  payload_too_large: 413,
  unsupported_content_type: 415,
  unsupported_encoding: 415,
  internal_error: 500,
  service_unavailable: 503,
} as const;

export type RefusalTag = keyof typeof STATUS;

const WHERE_TO_READ = "https://posthog.com/docs/api";

export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly tag: RefusalTag;

  constructor(tag: RefusalTag, description: string) {
    super(description);
    this.tag = tag;
  }
}

export interface RefusalAnswer {
  readonly status: number;
  /** Whether the same request may come again. */
  readonly isRetryable: boolean;
  readonly body: { readonly error: RefusalTag; readonly error_description: string; readonly error_uri: string };
}

export function answerOf({ tag, message }: Refusal): RefusalAnswer {
  const status = STATUS[tag];
  const body = { error: tag, error_description: message, error_uri: WHERE_TO_READ };
  return { status, isRetryable: status >= 500, body };
}

/** Whatever was thrown. */
export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  const ofHttp = thrown instanceof Error && "statusCode" in thrown ? Number(thrown.statusCode) : 0;
  if (ofHttp === STATUS.unsupported_content_type) return new Refusal("unsupported_content_type", messageOf(thrown));
  if (ofHttp >= 400 && ofHttp < 500) return new Refusal("request_decoding_error", messageOf(thrown));
  const error = toPrickleError(thrown);
  const tag = tagOf(error);
  return new Refusal(tag, tag === "internal_error" ? "Something went wrong here; it is in the log." : error.message);
}

function tagOf({ code, retryable }: PrickleError): RefusalTag {
  if (retryable) return "service_unavailable";
  switch (code) {
    case "INPUT_INVALID":
      return "request_decoding_error";
    case "INPUT_TOO_LARGE":
      return "payload_too_large";
    case "NOT_FOUND":
      return "not_found";
    default:
      return "internal_error";
  }
}

function messageOf(thrown: unknown): string {
  return toPrickleError(thrown).message;
}
