/** What a PostHog destination can be told, and what it does untold. */

import type { Clock } from "../../core/clock.ts";
import type { DestinationLimits } from "../../core/destination.ts";
import type { Compression } from "./batch.ts";
import type { GroupIdentifyIds } from "./group-ids.ts";
import type { PropertyRemover } from "./property-removal.ts";
import type { Protocol } from "./protocols.ts";
import type { RequestRates } from "./wire.ts";

export interface PosthogOptions {
  readonly name: string;
  /** `https://us.i.posthog.com`, `https://eu.i.posthog.com` or a server of one's own; a path before `/batch/` is kept. */
  readonly host: string;
  /** The project token, `phc_…`. Never logged and never part of an outcome. */
  readonly token: string;
  /** Goes into `$lib_version` and the user agent. */
  readonly version: string;
  /** Default `auto`: v1 where the server has it, else v0. */
  readonly protocol?: Protocol | "auto";
  /** Default zstd by v1, which takes half the time of gzip and less room, and gzip by v0, which knows no other. */
  readonly compression?: Compression | undefined;
  readonly groupDistinctId?: GroupIdentifyIds;
  /** Whether history goes as PostHog's historical migration, in requests of their own; else as everything else. Default true. */
  readonly historicalMigration?: boolean;
  /** Removes properties of groups; null: there is no personal key, and what asks for it becomes a dead letter. */
  readonly remover?: PropertyRemover | null;
  /** To be given the project's next indexes in this order, before anything is sent; default none. */
  readonly claimedGroupTypes?: readonly string[];
  readonly maxMessages?: number;
  readonly maxBytes?: number;
  /** Requests in flight, at most. */
  readonly concurrency?: number;
  /** Null: no limit. PostHog wants to be asked before more than a few thousand per second. */
  readonly messagesPerSecond?: number | null;
  /** The same for history; `requestsPerSecond` is as many again where it is left out. */
  readonly historical?: {
    readonly messagesPerSecond: number | null;
    readonly requestsPerSecond?: number | null | undefined;
  };
  /** Of HTTP requests to capture, of which a batch may take several. */
  readonly requestsPerSecond?: number | null;
  /** Of one distinct id; null: no limit. */
  readonly messagesPerDistinctIdPerSecond?: number | null;
  readonly lingerMs?: number;
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  readonly newRequestId?: () => string;
}

const DEFAULT_LIMITS = {
  maxMessages: 1000,
  maxBytes: 5_000_000,
  concurrency: 4,
  messagesPerSecond: 1000,
  historical: { messagesPerSecond: 1000 },
  lingerMs: 50,
} as const;

export const DEFAULT_TIMEOUT_MS = 20_000;
/** Under the 100 at which PostHog sends an id's events another way. */
export const DEFAULT_PER_DISTINCT_ID = 80;

/** Null: no limit. */
export function requestRatesOf({ requestsPerSecond = null, historical }: PosthogOptions): RequestRates {
  const ofHistory = historical?.requestsPerSecond;
  return { live: requestsPerSecond, historical: ofHistory === undefined ? requestsPerSecond : ofHistory };
}

export function limitsOf(options: PosthogOptions): DestinationLimits {
  return {
    maxMessages: options.maxMessages ?? DEFAULT_LIMITS.maxMessages,
    maxBytes: options.maxBytes ?? DEFAULT_LIMITS.maxBytes,
    concurrency: options.concurrency ?? DEFAULT_LIMITS.concurrency,
    messagesPerSecond:
      options.messagesPerSecond === undefined ? DEFAULT_LIMITS.messagesPerSecond : options.messagesPerSecond,
    historical: options.historical ?? DEFAULT_LIMITS.historical,
    // Of each HTTP request, by the wire: a batch may take several.
    requestsPerSecond: null,
    lingerMs: options.lingerMs ?? DEFAULT_LIMITS.lingerMs,
  };
}
