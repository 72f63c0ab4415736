/** What the main thread and the engine's worker say to each other. */

import type { GroupPage, GroupsQuery, GroupType, Trends, TrendsQuery } from "../core/analytics.ts";
import type { Outcome } from "../core/destination.ts";
import type { ErrorCode } from "../core/errors.ts";

export interface StoreOptions {
  /** A file, or ":memory:". */
  readonly path: string;
  readonly memoryLimitMb: number;
  /** Declared, in their order. */
  readonly groupTypes: readonly string[];
}

/** Bodies laid end to end: body `i` is `bytes[ends[i - 1] … ends[i]]`. */
export interface PackedBatch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: Uint32Array<ArrayBuffer>;
  /** ms UTC. */
  readonly arrivedAt: number;
}

/** Each kind of request with what it asks and what it gives. */
export interface Requests {
  readonly append: { readonly asks: PackedBatch; readonly gives: readonly Outcome[] };
  readonly groupTypes: { readonly asks: null; readonly gives: readonly GroupType[] };
  readonly groups: { readonly asks: GroupsQuery; readonly gives: GroupPage };
  readonly trends: { readonly asks: TrendsQuery; readonly gives: Trends };
  readonly close: { readonly asks: null; readonly gives: null };
}

export type RequestKind = keyof Requests;
export type Request = { [K in RequestKind]: { readonly kind: K; readonly asks: Requests[K]["asks"] } }[RequestKind];
export type NumberedRequest = Request & { readonly id: number };

export type Reply =
  | { readonly id: number; readonly ok: true; readonly gives: Requests[RequestKind]["gives"] }
  | { readonly id: number; readonly ok: false; readonly failure: Failure };

/** A PrickleError, as it crosses threads. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
}
