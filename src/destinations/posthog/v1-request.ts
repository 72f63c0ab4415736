/** A request of protocol v1 (facts on PostHog, 3.1 and 3.2, seen 2026-11). */

import type { Clock } from "../../core/clock.ts";
import { isoTime } from "../../core/iso-time.ts";
import { endingOf } from "./batch.ts";
import type { CaptureOptions, Way } from "./capture.ts";
import type { CheckedMessage } from "./checked.ts";
import { MOVED_IN_V1 } from "./message-text.ts";
import { v1Event } from "./v1-event.ts";
import type { Wire } from "./wire.ts";

const V1_PATH = "/i/v1/analytics/events";
const MAX_WIRE_BYTES = 10_485_760;

export interface Head {
  readonly id: string;
  readonly createdAt: string;
  readonly way: Way;
  readonly attempt: number;
}

export interface AskOptions extends Pick<CaptureOptions, "basePath" | "token" | "version" | "compression"> {
  readonly wire: Pick<Wire, "post">;
  readonly clock: Pick<Clock, "now">;
}

/** Gives what sends messages as one request. */
export function createAsk({ basePath, token, version, compression: wanted, wire, clock }: AskOptions) {
  const compression = wanted ?? "zstd";
  const path = basePath + V1_PATH;
  const fixed = { authorization: `Bearer ${token}`, "posthog-sdk-info": `prickle/${version}` };
  // The stated time counts: a repetition must not land on another.
  const ending = endingOf(`"$geoip_disable":true},"options":{"disable_skew_correction":true}}`);
  const tail = Buffer.from("]}");

  return (messages: readonly CheckedMessage[], head: Head, signal: AbortSignal) => {
    const headers = {
      ...fixed,
      "posthog-attempt": String(head.attempt),
      "posthog-request-id": head.id,
      "posthog-request-timestamp": isoTime(clock.now()),
    };
    const migration = head.way.isHistory ? `"historical_migration":true,` : "";
    const envelope = { head: Buffer.from(`{"created_at":"${head.createdAt}",${migration}"batch":[`), tail, ending };
    const pieces = messages.map(pieceOf);
    const request = { path, headers, envelope, pieces, compression, maxWireBytes: MAX_WIRE_BYTES };
    return wire.post({ ...request, service: head.way.service }, signal);
  };
}

function pieceOf(message: CheckedMessage) {
  return (message.traits & MOVED_IN_V1) === 0 ? message : { body: v1Event(message.body), isWhole: true };
}
