/** Protocol v1: `POST /i/v1/analytics/events`, with a result for each event (facts on PostHog, 3, seen 2026-11). */

import type { Outcome } from "../../core/destination.ts";
import { isoTime } from "../../core/iso-time.ts";
import { type Absent, parseObject, type Refused, type Retry } from "./answer.ts";
import type { Capture, CaptureOptions, Way } from "./capture.ts";
import type { CheckedMessage } from "./checked.ts";
import { type MessageText, ORDERED, orderingKey, uuidOf } from "./message-text.ts";
import { createRefusals, type Trial } from "./refusals.ts";
import { pick, requestsOf } from "./requests.ts";
import { readResult, readV1Answer, type V1Answer } from "./v1-answer.ts";
import { createAsk, type Head } from "./v1-request.ts";

export interface V1Options extends CaptureOptions {
  /** A new UUID each time. */
  readonly newRequestId: () => string;
}

/** Of one delivery: what is not stored then goes back to the outbox. */
const MAX_ATTEMPTS = 3;
const BASE_MS = 1000;
const MAX_WAIT_MS = 30_000;
const NOT_STORED = "PostHog answered retry: it did not store the event";
const BEHIND: Outcome = {
  kind: "later",
  reason: "an earlier message of its group or person has to arrive first",
  afterMs: 0,
};

/**
 * Settles each message by itself. Since each may have to be sent again alone, a request holds one message of each group
 * or person at most among those that PostHog applies in the order in which they come.
 */
export function createV1Capture(options: V1Options): Capture<Outcome | Absent> {
  const { clock, newRequestId } = options;
  const ask = createAsk(options);
  const refusals = createRefusals();

  async function post(messages: readonly CheckedMessage[], head: Head, signal: AbortSignal): Promise<V1Answer> {
    const answer = await ask(messages, head, signal);
    return "status" in answer ? readV1Answer(answer, { messages, requestId: head.id }, clock.now()) : answer;
  }

  /** One request id, and its repetitions with fewer and fewer events. */
  async function sendRequest(messages: readonly CheckedMessage[], sending: Sending) {
    const { way, signal, trial } = sending;
    const outcomes = new Array<Settled>(messages.length);
    const batch = { id: newRequestId(), createdAt: isoTime(clock.now()), way };
    let pending: readonly number[] = [...messages.keys()];
    for (let attempt = 1; ; attempt++) {
      const some = pick(messages, pending);
      const answer = trial.stopped() ?? (await post(some, { ...batch, attempt }, signal));
      if (answer.kind === "delivered" || answer.kind === "results") trial.noteTaken();
      if (answer.kind === "delivered") return fillWith(outcomes, pending, answer);
      if (answer.kind === "refused") {
        fill(outcomes, pending, await takeApart(some, answer, sending));
        return outcomes;
      }
      if (answer.kind !== "results") return fillWith(outcomes, pending, answer);
      const again: number[] = [];
      for (const [at, place] of pending.entries()) {
        const message = some[at];
        const outcome = message ? readResult(answer.results[uuidOf(message)], message) : "again";
        if (outcome === "again") again.push(place);
        else outcomes[place] = outcome;
      }
      if (again.length === 0) return outcomes;
      pending = again;
      const waitMs = Math.min(MAX_WAIT_MS, Math.max(BASE_MS * 2 ** (attempt - 1), answer.retryAfterMs ?? 0));
      if (attempt < MAX_ATTEMPTS) await clock.sleep(waitMs, signal);
      if (attempt === MAX_ATTEMPTS || signal.aborted) return fillWith(outcomes, pending, retry(NOT_STORED));
    }
  }

  /** New requests of their own: only the culprit is given up, unless it is the destination that is wrong. */
  async function takeApart(
    messages: readonly CheckedMessage[],
    refused: Refused,
    sending: Sending,
  ): Promise<readonly Settled[]> {
    if (messages.length === 1) {
      sending.trial.noteRefusedAlone(refused);
      return [refused];
    }
    const middle = messages.length >>> 1;
    const halves = [messages.slice(0, middle), messages.slice(middle)];
    const outcomes: Settled[] = [];
    for (const half of halves) outcomes.push(...(await sendRequest(half, sending)));
    return outcomes;
  }

  async function sendAll(messages: readonly CheckedMessage[], sending: Sending): Promise<readonly Settled[]> {
    const requests = requestsOf(messages, keyOf);
    if (requests.length === 1) return sendRequest(messages, sending);
    const outcomes = new Array<Settled>(messages.length);
    const held = new Set<string>();
    let down: Retry | Absent | null = null;
    for (const places of requests) {
      const free: number[] = [];
      for (const place of places) {
        if (isHeld(messages[place], held)) outcomes[place] = BEHIND;
        else if (down) outcomes[place] = down;
        else free.push(place);
      }
      if (free.length === 0) continue;
      const some = pick(messages, free);
      const answers = await sendRequest(some, sending);
      fill(outcomes, free, answers);
      hold(some, answers, held);
      down = sending.trial.stopped() ?? wholeFailure(answers);
    }
    return outcomes;
  }

  /** A server that reads batches knows one without events by name. */
  async function readsBatches({ way, signal }: Sending): Promise<boolean> {
    const batch = { id: newRequestId(), createdAt: isoTime(clock.now()), way, attempt: 1 };
    const answer = await ask([], batch, signal);
    return "status" in answer && parseObject(answer.body)?.error === "empty_batch";
  }

  return {
    async send(messages, way, signal) {
      const sending = { way, signal, trial: refusals.begin() };
      const outcomes = await sendAll(messages, sending);
      return sending.trial.settle(messages, outcomes, () => readsBatches(sending));
    },
  };
}

/** What is the same for all of one delivery. */
interface Sending {
  readonly way: Way;
  readonly signal: AbortSignal;
  readonly trial: Trial;
}

/** Refused: alone. */
type Settled = Outcome | Absent | Refused;

function keyOf(message: MessageText): string | null {
  return (message.traits & ORDERED) === 0 ? null : orderingKey(message);
}

function isHeld(message: CheckedMessage | undefined, held: ReadonlySet<string>): boolean {
  if (held.size === 0 || !message) return false;
  const key = keyOf(message);
  return key !== null && held.has(key);
}

/** What of a key has to wait keeps the rest of the key waiting. */
function hold(messages: readonly CheckedMessage[], outcomes: readonly Settled[], held: Set<string>): void {
  for (let at = 0; at < messages.length; at++) {
    const message = messages[at];
    const key = outcomes[at]?.kind === "retry" && message ? keyOf(message) : null;
    if (key !== null) held.add(key);
  }
}

/** The answer that was the same for all: nothing more need be sent. */
function wholeFailure(answers: readonly Settled[]): Retry | Absent | null {
  const [first] = answers;
  if (first?.kind !== "retry" && first?.kind !== "absent") return null;
  return first.kind === "absent" || (first.reason !== NOT_STORED && answers.every((one) => one === first))
    ? first
    : null;
}

function fill<Value>(values: Value[], places: readonly number[], some: readonly Value[]): void {
  for (let at = 0; at < places.length; at++) {
    const [place, value] = [places[at], some[at]];
    if (place !== undefined && value !== undefined) values[place] = value;
  }
}

function fillWith<Value>(values: Value[], places: readonly number[], value: Value): Value[] {
  for (const place of places) values[place] = value;
  return values;
}

function retry(reason: string): Retry {
  return { kind: "retry", reason };
}
