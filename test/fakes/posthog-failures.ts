/** How the fake PostHog fails when told to. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { V1Result } from "./posthog-v1.ts";

export type Failure =
  /** Nothing is stored. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly retryAfter?: string;
      readonly body?: string;
      /** With the id of the request, as PostHog's own answers by v1. */
      readonly echoes?: true;
    }
  | { readonly kind: "reset" }
  | { readonly kind: "hang" }
  /** Thrown away, with a 200 by v0 and a 402 by v1. */
  | { readonly kind: "quotaLimited" }
  /** All is stored; the caller never learns of it. */
  | { readonly kind: "applyThenDrop" }
  | { readonly kind: "truncatedAnswer" }
  /** All is stored; the answer comes byte by byte, without end. */
  | { readonly kind: "drip"; readonly everyMs: number }
  /** All is stored; the answer comes after `release`. */
  | { readonly kind: "slow"; readonly release: Promise<void> }
  /** By v1 only: these uuids get this result (null: they are left out of the answer); what says `retry`, `drop` or `limited` is not stored. */
  | {
      readonly kind: "results";
      readonly results: Readonly<Record<string, V1Result | null>>;
      readonly retryAfter?: string;
    };

/** What a failure can do to a request that was read. */
export interface Failing {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Stores what it brought. */
  apply(): void;
  /** Answers as if nothing had failed. */
  accept(more?: object): void;
  /** Answers that the quota is used up. */
  refuseForQuota(): void;
  /** The body of an error of this status that says `text`. */
  errorBody(status: number, text?: string): string;
  withResults(failure: Extract<Failure, { kind: "results" }>): void;
}

/** As a proxy says it, or somebody who knows PostHog's forms. */
function isForeign(body: string | undefined): boolean {
  return body !== undefined && (body === "" || /^[<{]/.test(body));
}

export async function fail(failure: Failure, failing: Failing): Promise<void> {
  const { request, response, apply, accept } = failing;
  switch (failure.kind) {
    case "status": {
      const id = failure.echoes && request.headers["posthog-request-id"];
      const headers = {
        ...(failure.retryAfter === undefined ? {} : { "retry-after": failure.retryAfter }),
        ...(id ? { "posthog-request-id": id } : {}),
      };
      response
        .writeHead(failure.status, headers)
        .end(isForeign(failure.body) ? failure.body : failing.errorBody(failure.status, failure.body));
      return;
    }
    case "reset":
      request.socket.resetAndDestroy();
      return;
    case "hang":
      return;
    case "quotaLimited":
      failing.refuseForQuota();
      return;
    case "applyThenDrop":
      apply();
      request.socket.destroy();
      return;
    case "truncatedAnswer":
      apply();
      response.writeHead(200, { "content-length": "100" }).write(`{"status":`);
      setImmediate(() => request.socket.destroy());
      return;
    case "drip": {
      apply();
      response.writeHead(200, { "content-type": "application/json" });
      const timer = setInterval(() => response.write(" "), failure.everyMs);
      response.once("close", () => clearInterval(timer));
      return;
    }
    case "slow":
      apply();
      await failure.release;
      accept();
      return;
    case "results":
      failing.withResults(failure);
      return;
  }
}
