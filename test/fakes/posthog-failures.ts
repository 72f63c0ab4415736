/** How the fake PostHog fails when told to. */

import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { V1Result } from "./posthog-v1.ts";

export type Failure =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly retryAfter?: string;
      readonly body?: string;
      /** Default: nothing. */
      readonly stores?: Stored;
      /** With the id of the request, as PostHog's own answers by v1. */
      readonly echoes?: true;
    }
  /** Once the request was read; nothing is stored. */
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

/** Of a batch; of every other one the later is stored, so that events overtake each other. */
export type Stored = "all" | "firstHalf" | "everyOther";

/** When the head of a request is there and nothing more is read, or at the first bytes of its body. Nothing is stored. */
export interface UnreadFailure {
  readonly kind: "reset" | "hang";
  readonly at: "head" | "body";
}

/** What a failure can do to a request that was read. */
export interface Failing {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Stores what it brought, or some of it. */
  apply(stored?: Stored): void;
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
      if (failure.stores) apply(failure.stores);
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

export async function failUnread({ kind, at }: UnreadFailure, request: IncomingMessage): Promise<void> {
  if (at === "body") await once(request, "data");
  if (kind === "reset") request.socket.resetAndDestroy();
  else request.pause();
}

/** Whether the event at this place of `count` is among those that are stored. */
export function isAmong(stored: Stored, place: number, count: number): boolean {
  if (stored === "all") return true;
  return stored === "firstHalf" ? place < count / 2 : place % 2 === 1;
}
