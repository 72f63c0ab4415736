/** PostHog as a destination: what is sent, by which protocol, at what rate (facts: PostHog's capture service, seen 2026-11). */

import { randomUUID } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { DELIVERED, type Destination, type Outcome } from "../../core/destination.ts";
import { isGroupUnset, type OutboxMessage } from "../../core/message.ts";
import { systemClock } from "../../platform/clock.ts";
import { type Absent, blocked } from "./answer.ts";
import type { Compression } from "./batch.ts";
import { createV0Capture } from "./capture-v0.ts";
import { createV1Capture } from "./capture-v1.ts";
import { type CheckedMessage, createCheck } from "./checked.ts";
import { type GroupIdentifyIds, groupIdentifyIds } from "./group-ids.ts";
import { createIdRate } from "./id-rate.ts";
import { V0_ONLY } from "./message-text.ts";
import type { PropertyRemover } from "./property-removal.ts";
import { createProtocolFinder, type Protocol } from "./protocols.ts";
import { createSlotClaimer } from "./slot-claim.ts";
import { createWire } from "./wire.ts";

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
  /** Default gzip. v0 knows no zstd, and gets gzip instead. */
  readonly compression?: Compression;
  readonly groupDistinctId?: GroupIdentifyIds;
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
  requestsPerSecond: null,
  lingerMs: 50,
} as const;
const DEFAULT_TIMEOUT_MS = 20_000;
/** Under the 100 at which PostHog sends an id's events another way. */
const DEFAULT_PER_DISTINCT_ID = 80;

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
  const { clock = systemClock, remover = null, protocol = "auto", token, version } = options;
  const url = new URL(options.host);
  const limits = limitsOf(options);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const wire = createWire({ origin: url.origin, token, version, concurrency: limits.concurrency, timeoutMs });
  const basePath = url.pathname.replace(/\/+$/, "");
  const compression = options.compression ?? "gzip";
  const parts = { basePath, token, version, compression, wire, clock };
  const v0 = createV0Capture(parts);
  const v1 = createV1Capture({ ...parts, newRequestId: options.newRequestId ?? randomUUID });
  const finder = createProtocolFinder(parts);
  const isHistory = options.historicalMigration === true;
  const check = createCheck(groupIdentifyIds(options.groupDistinctId ?? "pool"), clock.now);
  const { messagesPerDistinctIdPerSecond = DEFAULT_PER_DISTINCT_ID } = options;
  const rate = createIdRate(messagesPerDistinctIdPerSecond, clock);

  async function capture(messages: readonly CheckedMessage[], signal: AbortSignal): Promise<readonly Outcome[]> {
    const spoken = protocol === "auto" ? await finder.find(signal) : protocol;
    if (spoken === "v0") return v0.send(messages, isHistory, signal);
    // What PostHog's own clients send by v0 only.
    const isForV0 = ({ text }: CheckedMessage) => (text.traits & V0_ONLY) !== 0;
    const byV0 = messages.filter(isForV0);
    const byV1 = byV0.length === 0 ? messages : messages.filter((message) => !isForV0(message));
    const answers = byV1.length === 0 ? [] : await v1.send(byV1, isHistory, signal);
    const outcomes = await withoutV1(byV1, answers, signal);
    if (byV0.length === 0) return outcomes;
    const others = await v0.send(byV0, isHistory, signal);
    let [at, otherAt] = [0, 0];
    return messages.map((message) => (isForV0(message) ? others[otherAt++] : outcomes[at++]) ?? DELIVERED);
  }

  /** Nobody there spoke v1: the same events by v0, where the project folds what it has already. */
  async function withoutV1(
    messages: readonly CheckedMessage[],
    answers: readonly (Outcome | Absent)[],
    signal: AbortSignal,
  ): Promise<readonly Outcome[]> {
    const absent = [...answers.keys()].filter((at) => answers[at]?.kind === "absent");
    const settled = answers.map((answer) => (answer.kind === "absent" ? blocked(answer.reason) : answer));
    if (absent.length === 0 || protocol === "v1") return settled;
    finder.noteAbsent();
    const outcomes = await v0.send(
      absent.flatMap((at) => messages[at] ?? []),
      isHistory,
      signal,
    );
    for (const [index, at] of absent.entries()) settled[at] = outcomes[index] ?? DELIVERED;
    return settled;
  }

  const claimSlots = createSlotClaimer(options.claimedGroupTypes ?? [], async (claim, signal) => {
    const checked = check(claim);
    return "kind" in checked ? checked : ((await capture([checked], signal))[0] ?? DELIVERED);
  });

  async function deliver(messages: readonly OutboxMessage[], signal: AbortSignal): Promise<Outcome[]> {
    const claimed = await claimSlots(signal);
    if (claimed.kind !== "delivered") return new Array<Outcome>(messages.length).fill(claimed);
    const outcomes: Outcome[] = [];
    for (const part of partsOf(messages)) {
      const waiting = outcomes.find(({ kind }) => kind === "retry" || kind === "later");
      // Once something has to wait, what comes after it in its lane waits too.
      if (waiting) outcomes.push(...new Array<Outcome>(part.length).fill(waiting));
      else outcomes.push(...(await deliverPart(part, signal)));
    }
    return outcomes;
  }

  async function deliverPart(part: readonly OutboxMessage[], signal: AbortSignal): Promise<readonly Outcome[]> {
    const [first] = part;
    if (!first || !isGroupUnset(first.body)) return send(part, signal);
    return [remover ? await remover.remove(first.body, signal) : NO_REMOVER];
  }

  async function send(messages: readonly OutboxMessage[], signal: AbortSignal): Promise<readonly Outcome[]> {
    const outcomes = new Array<Outcome>(messages.length);
    const sent: CheckedMessage[] = [];
    const places: number[] = [];
    for (const [place, message] of messages.entries()) {
      const checked = check(message);
      const refused = "kind" in checked ? checked : overRate(rate.take(checked.text.idHash));
      if (refused) outcomes[place] = refused;
      else if (!("kind" in checked)) places.push(place) && sent.push(checked);
    }
    if (sent.length === 0) return outcomes;
    const answers = await capture(sent, signal);
    for (const [at, place] of places.entries()) outcomes[place] = withNote(answers[at] ?? DELIVERED, sent[at]);
    return outcomes;
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

function limitsOf(options: PosthogOptions) {
  return {
    maxMessages: options.maxMessages ?? DEFAULT_LIMITS.maxMessages,
    maxBytes: options.maxBytes ?? DEFAULT_LIMITS.maxBytes,
    concurrency: options.concurrency ?? DEFAULT_LIMITS.concurrency,
    messagesPerSecond:
      options.messagesPerSecond === undefined ? DEFAULT_LIMITS.messagesPerSecond : options.messagesPerSecond,
    requestsPerSecond: options.requestsPerSecond ?? DEFAULT_LIMITS.requestsPerSecond,
    lingerMs: options.lingerMs ?? DEFAULT_LIMITS.lingerMs,
  };
}

function overRate(afterMs: number): Outcome | null {
  return afterMs === 0
    ? null
    : { kind: "later", reason: "its distinct id has had as many events as PostHog likes", afterMs };
}

function withNote(outcome: Outcome, message: CheckedMessage | undefined): Outcome {
  const mended = message?.mended;
  return mended && outcome === DELIVERED ? { ...outcome, ...mended } : outcome;
}

/** Events together, and each message that removes properties alone, in order. */
function partsOf(messages: readonly OutboxMessage[]): readonly (readonly OutboxMessage[])[] {
  if (!messages.some(({ body }) => isGroupUnset(body))) return [messages];
  const parts: OutboxMessage[][] = [];
  let together: OutboxMessage[] | null = null;
  for (const message of messages) {
    const isAlone = isGroupUnset(message.body);
    if (!isAlone && together) together.push(message);
    else {
      parts.push([message]);
      together = isAlone ? null : (parts.at(-1) ?? null);
    }
  }
  return parts;
}
