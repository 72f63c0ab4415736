/** Protocol v1: `POST /i/v1/analytics/events`, with a result for each event (facts on PostHog, 3, seen 2026-11). */

import { BEHIND, DELIVERED, type Outcome } from "../../core/destination.ts";
import { isoTime } from "../../core/iso-time.ts";
import { type Absent, parseObject, type Refused, type Retry } from "./answer.ts";
import type { Capture, CaptureOptions, Way } from "./capture.ts";
import type { CheckedMessage } from "./checked.ts";
import { type MessageText, ORDERED, orderingKey, uuidOf } from "./message-text.ts";
import { createRefusals, inPieces, type Sending, type Settled } from "./refusals.ts";
import { fill, pick, requestsOf } from "./requests.ts";
import { readResult, readV1Answer, type V1Answer } from "./v1-answer.ts";
import { createRepeats, type Repeat } from "./v1-repeats.ts";
import { createAsk, type Head } from "./v1-request.ts";

export interface V1Options extends CaptureOptions {
  /** A new UUID each time. */
  readonly newRequestId: () => string;
}

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
  const ask = createAsk(options);
  const refusals = createRefusals();
  const repeats = createRepeats();

  function newRequest(way: Way): Repeat {
    return { request: { id: newRequestId(), createdAt: isoTime(clock.now()), way }, attempt: 1 };
  }

  async function post(messages: readonly CheckedMessage[], head: Head, signal: AbortSignal): Promise<V1Answer> {
    const answer = await ask(messages, head, signal);
    return "status" in answer ? readV1Answer(answer, { messages, requestId: head.id }, clock.now()) : answer;
  }

  /** One request id, and its repetitions with fewer and fewer events. */
  async function sendRequest(messages: readonly CheckedMessage[], sending: Sending, repeat: Repeat | null) {
    const { way, signal, trial } = sending;
    const { request, attempt: first } = repeat ?? newRequest(way);
    const outcomes = new Array<Settled>(messages.length);
    let pending: readonly number[] = [...messages.keys()];
    for (let attempt = first; ; attempt++) {
      const some = pick(messages, pending);
      const answer = trial.stopped() ?? (await post(some, { ...request, attempt }, signal));
      if (answer.kind === "delivered" || answer.kind === "results") trial.noteTaken();
      if (answer.kind === "delivered") return fillWith(outcomes, pending, attempt === 1 ? answer : REPEATED);
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
    for (const half of halves) outcomes.push(...(await sendRequest(half, sending, null)));
    return inPieces(outcomes);
  }

  async function sendAll(messages: readonly CheckedMessage[], sending: Sending): Promise<readonly Settled[]> {
    const requests = planOf(messages);
    const [only] = requests;
    if (only && requests.length === 1) return sendRequest(messages, sending, only.repeat);
    const outcomes = new Array<Settled>(messages.length);
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
      const answers = await sendRequest(some, sending, repeat);
      fill(outcomes, free, answers);
      hold(some, answers, held);
      down = sending.trial.stopped() ?? wholeFailure(answers);
    }
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

  /** A server that reads batches knows one without events by name. */
  async function readsBatches({ way, signal }: Sending): Promise<boolean> {
    const { request, attempt } = newRequest(way);
    const answer = await ask([], { ...request, attempt }, signal);
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

interface PlannedRequest {
  /** Of its messages, ascending. */
  readonly places: readonly number[];
  /** Null: it is a new one. */
  readonly repeat: Repeat | null;
}

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
  return first.kind === "absent" || (first.afterMs === undefined && answers.every((one) => one === first))
    ? first
    : null;
}

function fillWith<Value>(values: Value[], places: readonly number[], value: Value): Value[] {
  for (const place of places) values[place] = value;
  return values;
}
