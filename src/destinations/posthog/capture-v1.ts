/** Protocol v1: `POST /i/v1/analytics/events`, with a result for each event (facts on PostHog, 3, seen 2026-11). */

import { BEHIND, DELIVERED, type Outcome } from "../../core/destination.ts";
import { isoTime } from "../../core/iso-time.ts";
import type { Absent, Refused, Retry } from "./answer.ts";
import { endingOf } from "./batch.ts";
import type { Capture, CaptureOptions } from "./capture.ts";
import type { CheckedMessage } from "./checked.ts";
import { type MessageText, MOVED_IN_V1, ORDERED, orderingKey, uuidOf } from "./message-text.ts";
import { fill, pick, requestsOf } from "./requests.ts";
import { readResult, readV1Answer, type V1Answer } from "./v1-answer.ts";
import { v1Event } from "./v1-event.ts";
import { createRepeats, type Repeat, type V1Request } from "./v1-repeats.ts";

export interface V1Options extends CaptureOptions {
  /** A new UUID each time. */
  readonly newRequestId: () => string;
}

export const V1_PATH = "/i/v1/analytics/events";
const MAX_WIRE_BYTES = 10_485_760;
/** Before the first repetition; it doubles. */
const BASE_MS = 1000;
/** What has to wait longer goes back to the outbox meanwhile: the events that were answered finally must not wait for it. */
const MOST_WAIT_MS = 1500;
const NOT_STORED = "PostHog answered retry: it did not store the event";
const REPEATED: Outcome = { kind: "delivered", note: "PostHog had answered retry before", code: "repeated" };

/**
 * Settles each message by itself. Since each may have to be sent again alone, a request holds one message of each group
 * or person at most among those that PostHog applies in the order in which they come.
 */
export function createV1Capture(options: V1Options): Capture<Outcome | Absent> {
  const { clock, newRequestId } = options;
  const post = createPost(options);
  const repeats = createRepeats();

  function newRequest(isHistory: boolean): Repeat {
    return { request: { id: newRequestId(), createdAt: isoTime(clock.now()), isHistory }, attempt: 1 };
  }

  /** One request id, and its repetitions with fewer and fewer events. */
  async function sendRequest(
    messages: readonly CheckedMessage[],
    { request, attempt: first }: Repeat,
    signal: AbortSignal,
  ) {
    const outcomes = new Array<Outcome | Absent>(messages.length);
    let pending: readonly number[] = [...messages.keys()];
    for (let attempt = first; ; attempt++) {
      const some = pick(messages, pending);
      const answer = await post(some, { ...request, attempt }, signal);
      if (answer.kind === "delivered") return fillWith(outcomes, pending, attempt === 1 ? answer : REPEATED);
      if (answer.kind === "refused") {
        fill(outcomes, pending, await takeApart(some, answer, request.isHistory, signal));
        return outcomes;
      }
      if (answer.kind !== "results") return fillWith(outcomes, pending, answer);
      const again: number[] = [];
      for (const [at, place] of pending.entries()) {
        const message = some[at];
        const outcome = message ? readResult(answer.results[uuidOf(message)], message) : "again";
        if (outcome === "again") again.push(place);
        else outcomes[place] = attempt > 1 && outcome === DELIVERED ? REPEATED : outcome;
      }
      if (again.length === 0) return outcomes;
      pending = again;
      const waitMs = Math.max(BASE_MS * 2 ** (attempt - 1), answer.retryAfterMs ?? 0);
      if (waitMs <= MOST_WAIT_MS) await clock.sleep(waitMs, signal);
      if (waitMs > MOST_WAIT_MS || signal.aborted) {
        repeats.remember(pick(messages, again), { request, attempt: attempt + 1 });
        return fillWith(outcomes, again, { kind: "retry", reason: NOT_STORED, afterMs: answer.retryAfterMs ?? 0 });
      }
    }
  }

  /** New requests of their own: only the culprit is given up. */
  async function takeApart(
    messages: readonly CheckedMessage[],
    { reason, code }: Refused,
    isHistory: boolean,
    signal: AbortSignal,
  ): Promise<readonly (Outcome | Absent)[]> {
    if (messages.length === 1) return [{ kind: "dead", reason, code }];
    const middle = messages.length >>> 1;
    const halves = [messages.slice(0, middle), messages.slice(middle)];
    const outcomes: (Outcome | Absent)[] = [];
    for (const half of halves) outcomes.push(...(await sendRequest(half, newRequest(isHistory), signal)));
    return outcomes;
  }

  /** What is to be repeated comes first: it is the earliest of its group or person. */
  function planOf(messages: readonly CheckedMessage[]): readonly PlannedRequest[] {
    const taken = repeats.take(messages);
    if (!taken) return requestsOf(messages, keyOf).map((places) => ({ places, repeat: null }));
    const { others } = taken;
    const anew = requestsOf(pick(messages, others), keyOf);
    const placesIn = (places: readonly number[]) => places.flatMap((place) => others[place] ?? []);
    return [...taken.repeats, ...anew.map((places) => ({ places: placesIn(places), repeat: null }))];
  }

  return {
    async send(messages, isHistory, signal) {
      const requests = planOf(messages);
      const [only] = requests;
      if (only && requests.length === 1) return sendRequest(messages, only.repeat ?? newRequest(isHistory), signal);
      const outcomes = new Array<Outcome | Absent>(messages.length);
      const held = new Set<string>();
      let down: Retry | Absent | null = null;
      for (const { places, repeat } of requests) {
        const free: number[] = [];
        for (const place of places) {
          if (isHeld(messages[place], held)) outcomes[place] = BEHIND;
          else if (down) outcomes[place] = down;
          else free.push(place);
        }
        if (free.length === 0) continue;
        const some = pick(messages, free);
        const answers = await sendRequest(some, repeat ?? newRequest(isHistory), signal);
        fill(outcomes, free, answers);
        hold(some, answers, held);
        down = wholeFailure(answers);
      }
      return outcomes;
    },
  };
}

interface PlannedRequest {
  /** Of its messages, ascending. */
  readonly places: readonly number[];
  /** Null: it is a new one. */
  readonly repeat: Repeat | null;
}

function keyOf(message: MessageText): string | null {
  return (message.traits & ORDERED) === 0 ? null : orderingKey(message);
}

interface Head extends V1Request {
  readonly attempt: number;
}

function createPost({ basePath, token, version, compression: wanted, wire, clock }: V1Options) {
  const compression = wanted ?? "zstd";
  const path = basePath + V1_PATH;
  const fixed = { authorization: `Bearer ${token}`, "posthog-sdk-info": `prickle/${version}` };
  // The stated time counts: a repetition must not land on another.
  const ending = endingOf(`"$geoip_disable":true},"options":{"disable_skew_correction":true}}`);
  const tail = Buffer.from("]}");

  return async (messages: readonly CheckedMessage[], head: Head, signal: AbortSignal): Promise<V1Answer> => {
    const headers = {
      ...fixed,
      "posthog-attempt": String(head.attempt),
      "posthog-request-id": head.id,
      "posthog-request-timestamp": isoTime(clock.now()),
    };
    const migration = head.isHistory ? `"historical_migration":true,` : "";
    const envelope = { head: Buffer.from(`{"created_at":"${head.createdAt}",${migration}"batch":[`), tail, ending };
    const pieces = messages.map(pieceOf);
    const answer = await wire.post(
      { path, headers, envelope, pieces, compression, maxWireBytes: MAX_WIRE_BYTES },
      signal,
    );
    return "status" in answer ? readV1Answer(answer, messages, clock.now()) : answer;
  };
}

function pieceOf(message: CheckedMessage) {
  return (message.traits & MOVED_IN_V1) === 0 ? message : { body: v1Event(message.body), isWhole: true };
}

function isHeld(message: CheckedMessage | undefined, held: ReadonlySet<string>): boolean {
  if (held.size === 0 || !message) return false;
  const key = keyOf(message);
  return key !== null && held.has(key);
}

/** What of a key has to wait keeps the rest of the key waiting. */
function hold(messages: readonly CheckedMessage[], outcomes: readonly (Outcome | Absent)[], held: Set<string>): void {
  for (let at = 0; at < messages.length; at++) {
    const message = messages[at];
    const key = outcomes[at]?.kind === "retry" && message ? keyOf(message) : null;
    if (key !== null) held.add(key);
  }
}

/** The answer that was the same for all: nothing more need be sent. */
function wholeFailure(answers: readonly (Outcome | Absent)[]): Retry | Absent | null {
  const [first] = answers;
  if (first?.kind !== "retry" && first?.kind !== "absent") return null;
  return first.kind === "absent" || (first.afterMs === undefined && answers.every((one) => one === first))
    ? first
    : null;
}

function fillWith<Value>(values: Value[], places: readonly number[], value: Value): Value[] {
  for (const place of places) values[place] = value;
  return values;
}
