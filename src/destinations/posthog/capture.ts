/** What the two protocols by which PostHog takes events have in common. */

import type { Clock } from "../../core/clock.ts";
import type { Service } from "../../core/service.ts";
import type { Compression } from "./batch.ts";
import type { CheckedMessage } from "./checked.ts";
import type { Wire } from "./wire.ts";

export interface Capture<Result> {
  /** `results[i]` is for `messages[i]`. */
  send(messages: readonly CheckedMessage[], way: Way, signal: AbortSignal): Promise<readonly Result[]>;
}

export interface Way {
  readonly service: Service;
  /** As PostHog's historical migration. */
  readonly isHistory: boolean;
}

export const LIVE: Way = { service: "live", isHistory: false };

export interface CaptureOptions {
  /** Before the paths of the protocol, without a slash at its end. */
  readonly basePath: string;
  readonly token: string;
  /** Goes into `$lib_version`. */
  readonly version: string;
  /** Null: what is best of those the protocol knows. */
  readonly compression: Compression | null;
  readonly wire: Wire;
  readonly clock: Clock;
}
