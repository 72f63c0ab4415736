/** PostHog as a destination: what is sent, by which protocol, at what rate (facts: PostHog's capture service, seen 2026-11). */

import { randomUUID } from "node:crypto";
import { DELIVERED, type Destination, type Outcome } from "../../core/destination.ts";
import { isGroupUnset, type OutboxMessage, occurredAtOf } from "../../core/message.ts";
import { isHistory } from "../../core/service.ts";
import { systemClock } from "../../platform/clock.ts";
import { LIVE, type Way } from "./capture.ts";
import { createV0Capture } from "./capture-v0.ts";
import { createV1Capture } from "./capture-v1.ts";
import { type CheckedMessage, createCheck } from "./checked.ts";
import { groupIdentifyIds } from "./group-ids.ts";
import { createIdRate } from "./id-rate.ts";
import { inParts } from "./in-parts.ts";
import {
  DEFAULT_PER_DISTINCT_ID,
  DEFAULT_TIMEOUT_MS,
  limitsOf,
  type PosthogOptions,
  requestRatesOf,
} from "./options.ts";
import { createCapture } from "./protocol-choice.ts";
import { createProtocolFinder } from "./protocols.ts";
import { createSlotClaimer } from "./slot-claim.ts";
import { createWire } from "./wire.ts";

export type { PosthogOptions } from "./options.ts";

/** By its own clock PostHog takes, and bills, what is too young to be history as live. */
const CLOCK_SKEW_MS = 10 * 60_000;

/** Kept with the dead letters, to be replayed when there is a key. */
const NO_REMOVER: Outcome = {
  kind: "dead",
  reason: "PostHog removes properties of groups by its private API only: personalApiKey and projectId are needed",
  code: "no_personal_key",
};

/**
 * Sends each batch as one packed request, and settles message by message by what PostHog answers; uuids and timestamps
 * never change, so PostHog folds what arrives twice. What is wrong with a message is `dead`, all else that goes wrong is
 * `retry`; what is wrong with our configuration holds back the whole.
 */
export function createPosthogDestination(options: PosthogOptions): Destination {
  const { clock = systemClock, remover = null, protocol = "auto", historicalMigration = true } = options;
  const { messagesPerDistinctIdPerSecond = DEFAULT_PER_DISTINCT_ID } = options;
  const limits = limitsOf(options);
  const { wire, finder, capture } = openCapture(options, limits.concurrency);
  const check = createCheck(groupIdentifyIds(options.groupDistinctId ?? "pool"));
  const rate = createIdRate(messagesPerDistinctIdPerSecond);

  const claimSlots = createSlotClaimer(options.claimedGroupTypes ?? [], async (claim, signal) => {
    const checked = check(claim, clock.now());
    return "kind" in checked ? checked : ((await capture.send([checked], LIVE, signal))[0] ?? DELIVERED);
  });

  async function deliver(messages: readonly OutboxMessage[], signal: AbortSignal): Promise<readonly Outcome[]> {
    const claimed = await claimSlots(signal);
    if (claimed.kind !== "delivered") return new Array<Outcome>(messages.length).fill(claimed);
    if (!messages.some(({ body }) => isGroupUnset(body))) return send(messages, signal);
    return inParts(messages, {
      send: (events) => send(events, signal),
      remove: async (removal) => asUnsent(remover ? await remover.remove(removal, signal) : NO_REMOVER),
    });
  }

  async function send(messages: readonly OutboxMessage[], signal: AbortSignal): Promise<readonly Outcome[]> {
    const now = clock.now();
    const sent: CheckedMessage[] = [];
    const refused = new Map<number, Outcome>();
    for (let place = 0; place < messages.length; place++) {
      const message = messages[place];
      if (!message) continue;
      const checked = check(message, now);
      const refusal = "kind" in checked ? checked : overRate(rate.take(checked.idHash, now));
      if (refusal) refused.set(place, asUnsent(refusal));
      else if (!("kind" in checked)) sent.push(checked);
    }
    const answers = sent.length === 0 ? [] : await capture.send(sent, wayOf(messages), signal);
    const noted = sent.some(({ mended }) => mended) ? answers.map((one, at) => withNote(one, sent[at])) : answers;
    if (refused.size === 0) return noted;
    let at = 0;
    return messages.map((_, place) => refused.get(place) ?? noted[at++] ?? DELIVERED);
  }

  /** Looked at once more: a request with one event too young, whatever came in between, goes as everything else. */
  function wayOf(messages: readonly OutboxMessage[]): Way {
    const at = clock.now() - CLOCK_SKEW_MS;
    if (!messages.every(({ historical = false }) => historical)) return LIVE;
    const isOld = historicalMigration && messages.every(({ body }) => isHistory(occurredAtOf(body), at));
    return { service: "historical", isHistory: isOld };
  }

  return {
    name: options.name,
    limits,
    deliver,
    protocol: () => (protocol === "auto" ? finder.known() : protocol),
    async close() {
      await Promise.all([wire.close(), remover?.close()]);
    },
  };
}

function openCapture(options: PosthogOptions, concurrency: number) {
  const { clock = systemClock, protocol = "auto", compression = null, token, version } = options;
  const { origin, pathname } = new URL(options.host);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const requestsPerSecond = requestRatesOf(options);
  const wire = createWire({ origin, token, version, concurrency, timeoutMs, requestsPerSecond, clock });
  const parts = { basePath: pathname.replace(/\/+$/, ""), token, version, compression, wire, clock };
  const finder = createProtocolFinder(parts);
  const v0 = createV0Capture(parts);
  const v1 = createV1Capture({ ...parts, newRequestId: options.newRequestId ?? randomUUID });
  return { wire, finder, capture: createCapture({ protocol, finder, v0, v1 }) };
}

function asUnsent(outcome: Outcome): Outcome {
  return outcome.kind === "dead" ? { ...outcome, isUnsent: true } : outcome;
}

function overRate(afterMs: number): Outcome | null {
  if (afterMs === 0) return null;
  return { kind: "later", reason: "its distinct id has had as many events as PostHog likes", afterMs };
}

function withNote(outcome: Outcome, message: CheckedMessage | undefined): Outcome {
  const mended = message?.mended;
  return mended && outcome.kind === "delivered" && outcome.note === undefined ? { ...outcome, ...mended } : outcome;
}
