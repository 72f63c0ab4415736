/** PostHog as a destination: v0 `POST /batch/` (facts: PostHog's capture service, seen 2026-11). */

import { DELIVERED, type Destination, type Outcome } from "../../core/destination.ts";
import { isGroupUnset, type OutboxMessage, occurredAtOf } from "../../core/message.ts";
import { isHistory } from "../../core/service.ts";
import { createHttpClient, HttpFailure } from "../../platform/http-client.ts";
import { type Answer, readAnswer } from "./answer.ts";
import { createBatchPacker, createEnvelope } from "./batch.ts";
import type { PropertyRemover } from "./property-removal.ts";
import { createSlotClaimer } from "./slot-claim.ts";

export interface PosthogOptions {
  readonly name: string;
  /** `https://us.i.posthog.com`, `https://eu.i.posthog.com` or a server of one's own; a path before `/batch/` is kept. */
  readonly host: string;
  /** The project token, `phc_…`. Never logged and never part of an outcome. */
  readonly token: string;
  /** Goes into `$lib_version` and the user agent. */
  readonly version: string;
  /** Whether history goes as PostHog's historical migration, in requests of their own; else as everything else. Default true. */
  readonly historicalMigration?: boolean;
  /** Removes properties of groups; null: there is no personal key, and what asks for it becomes a dead letter. */
  readonly remover?: PropertyRemover | null;
  /** To be given the project's next indexes in this order, before anything is sent; default none. */
  readonly claimedGroupTypes?: readonly string[];
  readonly maxMessages?: number;
  readonly maxBytes?: number;
  readonly concurrency?: number;
  /** Null: no limit. PostHog wants to be asked before more than a few thousand per second. */
  readonly messagesPerSecond?: number | null;
  /** The same for history. */
  readonly historical?: { readonly messagesPerSecond: number | null };
  readonly requestsPerSecond?: number | null;
  readonly lingerMs?: number;
  readonly timeoutMs?: number;
  /** For Retry-After dates. */
  readonly now?: () => number;
}

type Sent = Pick<OutboxMessage, "body"> & Partial<Pick<OutboxMessage, "historical">>;

const DEFAULT_LIMITS = {
  maxMessages: 1000,
  maxBytes: 5_000_000,
  concurrency: 4,
  messagesPerSecond: 1000,
  historical: { messagesPerSecond: 1000 },
  requestsPerSecond: null,
  lingerMs: 50,
} as const;
/** PostHog drops what its own clock says is too young to be history. */
const CLOCK_SKEW_MS = 10 * 60_000;
const DEFAULT_TIMEOUT_MS = 20_000;

/** Kept with the dead letters, to be replayed when there is a key. */
const NO_REMOVER: Outcome = {
  kind: "dead",
  reason: "PostHog removes properties of groups by its private API only: personalApiKey and projectId are needed",
};

/**
 * Sends each batch as one gzip request; uuids and timestamps never change, so PostHog folds what arrives twice.
 * PostHog refuses a batch as a whole for one wrong event: such a batch is halved until the culprit is alone, which is
 * then `dead`. Everything else that goes wrong is `retry`; what is wrong with our configuration holds back the whole.
 */
export function createPosthogDestination(options: PosthogOptions): Destination {
  const url = new URL(options.host);
  const limits = {
    maxMessages: options.maxMessages ?? DEFAULT_LIMITS.maxMessages,
    maxBytes: options.maxBytes ?? DEFAULT_LIMITS.maxBytes,
    concurrency: options.concurrency ?? DEFAULT_LIMITS.concurrency,
    messagesPerSecond:
      options.messagesPerSecond === undefined ? DEFAULT_LIMITS.messagesPerSecond : options.messagesPerSecond,
    historical: options.historical ?? DEFAULT_LIMITS.historical,
    requestsPerSecond: options.requestsPerSecond ?? DEFAULT_LIMITS.requestsPerSecond,
    lingerMs: options.lingerMs ?? DEFAULT_LIMITS.lingerMs,
  };
  const path = `${url.pathname.replace(/\/+$/, "")}/batch/`;
  const headers = {
    "content-type": "application/json",
    "content-encoding": "gzip",
    "user-agent": `prickle/${options.version}`,
  };
  const { historicalMigration = true } = options;
  const pack = createBatchPacker(createEnvelope(options));
  const packHistory = createBatchPacker(createEnvelope({ ...options, isHistory: true }));
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const client = createHttpClient({ origin: url.origin, connections: limits.concurrency, timeoutMs });
  const now = options.now ?? Date.now;
  const { remover = null } = options;

  async function post(messages: readonly Sent[], signal: AbortSignal): Promise<Answer> {
    const body = await (isHistorical(messages) ? packHistory : pack)(messages);
    try {
      const answer = readAnswer(await client.post({ path, headers, body, signal }), now());
      return answer.kind === "delivered" ? answer : { ...answer, reason: answer.reason.replaceAll(options.token, "…") };
    } catch (thrown) {
      if (!(thrown instanceof HttpFailure)) throw thrown;
      return { kind: "retry", reason: `PostHog was not reached: ${thrown.message}` };
    }
  }

  /** Looked at once more: a request with one event too young, whatever came in between, goes as everything else. */
  function isHistorical(messages: readonly Sent[]): boolean {
    const at = now() - CLOCK_SKEW_MS;
    return (
      historicalMigration &&
      messages.every(({ historical = false, body }) => historical && isHistory(occurredAtOf(body), at))
    );
  }

  const claimSlots = createSlotClaimer(options.claimedGroupTypes ?? [], (message, signal) => post([message], signal));

  async function deliver(messages: readonly OutboxMessage[], signal: AbortSignal): Promise<Outcome[]> {
    const claimed = await claimSlots(signal);
    if (claimed.kind !== "delivered") return new Array<Outcome>(messages.length).fill(claimed);
    const outcomes: Outcome[] = [];
    for (const part of partsOf(messages)) {
      const last = outcomes.at(-1) ?? DELIVERED;
      // Once something has to wait, what comes after it in its lane waits too.
      if (last.kind === "retry") outcomes.push(...new Array<Outcome>(part.length).fill(last));
      else outcomes.push(...(await deliverPart(part, signal)));
    }
    return outcomes;
  }

  async function deliverPart(part: readonly OutboxMessage[], signal: AbortSignal): Promise<readonly Outcome[]> {
    const [first] = part;
    if (!first || !isGroupUnset(first.body)) return send(part, signal);
    return [remover ? await remover.remove(first, signal) : NO_REMOVER];
  }

  async function send(messages: readonly OutboxMessage[], signal: AbortSignal): Promise<Outcome[]> {
    const answer = await post(messages, signal);
    if (answer.kind !== "refused") return new Array<Outcome>(messages.length).fill(answer);
    if (messages.length === 1) return [{ kind: "dead", reason: answer.reason }];
    const middle = messages.length >>> 1;
    const outcomes = await send(messages.slice(0, middle), signal);
    const last = outcomes.at(-1) ?? DELIVERED;
    // Once something has to wait, what comes after it in its lane waits too.
    if (last.kind === "retry") return [...outcomes, ...new Array<Outcome>(messages.length - middle).fill(last)];
    return [...outcomes, ...(await send(messages.slice(middle), signal))];
  }

  return {
    name: options.name,
    limits,
    deliver,
    async close() {
      await Promise.all([client.close(), remover?.close()]);
    },
  };
}

/** Events together, and each message that removes properties alone, in order. */
function partsOf(messages: readonly OutboxMessage[]): readonly (readonly OutboxMessage[])[] {
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
