/** Protocol v0: `POST /batch/`, taken or refused as a whole (facts on PostHog, 2, seen 2026-11). */

import { DELIVERED, type Outcome } from "../../core/destination.ts";
import type { HttpAnswer } from "../../platform/http-client.ts";
import { overQuota, parseObject, quote, type Refused, type Retry, readError } from "./answer.ts";
import { type Compression, endingOf } from "./batch.ts";
import type { Capture, CaptureOptions } from "./capture.ts";
import type { CheckedMessage } from "./checked.ts";
import { pick, requestsOf } from "./requests.ts";

const MAX_WIRE_BYTES = 20 * 1024 * 1024;

/**
 * No `sent_at` and `$ignore_sent_at`: else PostHog moves timestamps by its distance to `sent_at`, and a repetition would
 * land on another time and count twice. `$geoip_disable`: our address says nothing about the user's.
 *
 * For one wrong event PostHog refuses a batch as a whole: such a batch is halved until the culprit is alone.
 */
export function createV0Capture({
  basePath,
  token,
  version,
  compression,
  wire,
  clock,
}: CaptureOptions): Capture<Outcome> {
  const path = `${basePath}/batch/`;
  const own = `"$ignore_sent_at":true,"$geoip_disable":true,"$lib":"prickle","$lib_version":${JSON.stringify(version)}}}`;
  const ending = endingOf(own);
  const tail = Buffer.from("]}");
  const headOf = (migration: string) => Buffer.from(`{"api_key":${JSON.stringify(token)},${migration}"batch":[`);
  const live = { head: headOf(""), tail, ending };
  const history = { head: headOf(`"historical_migration":true,`), tail, ending };

  async function post(messages: readonly CheckedMessage[], isHistory: boolean, signal: AbortSignal): Promise<Answer> {
    const envelope = isHistory ? history : live;
    const request = { path, headers: {}, envelope, pieces: messages, compression: known(compression) };
    const answer = await wire.post({ ...request, maxWireBytes: MAX_WIRE_BYTES }, signal);
    return "status" in answer ? readV0Answer(answer, clock.now()) : answer;
  }

  async function send(
    messages: readonly CheckedMessage[],
    isHistory: boolean,
    signal: AbortSignal,
  ): Promise<Outcome[]> {
    const answer = await post(messages, isHistory, signal);
    if (answer.kind !== "refused") return new Array<Outcome>(messages.length).fill(answer);
    const { reason, code } = answer;
    if (messages.length === 1) return [{ kind: "dead", reason, code }];
    const middle = messages.length >>> 1;
    const outcomes = await send(messages.slice(0, middle), isHistory, signal);
    return afterThat(outcomes, messages.slice(middle), (rest) => send(rest, isHistory, signal));
  }

  return {
    async send(messages, isHistory, signal) {
      const requests = requestsOf(messages, () => null);
      if (requests.length === 1) return send(messages, isHistory, signal);
      const outcomes: Outcome[] = [];
      let sent: readonly Outcome[] = [];
      for (const places of requests) {
        sent = (await afterThat(sent, pick(messages, places), (rest) => send(rest, isHistory, signal))).slice(
          sent.length,
        );
        for (const [at, place] of places.entries()) outcomes[place] = sent[at] ?? DELIVERED;
      }
      return outcomes;
    },
  };
}

type Answer = Extract<Outcome, { kind: "delivered" }> | Retry | Refused;

/** Once something has to wait, what comes after it in its lane waits too. */
async function afterThat(
  outcomes: readonly Outcome[],
  rest: readonly CheckedMessage[],
  send: (rest: readonly CheckedMessage[]) => Promise<Outcome[]>,
): Promise<Outcome[]> {
  const last = outcomes.at(-1) ?? DELIVERED;
  const more = last.kind === "retry" ? new Array<Outcome>(rest.length).fill(last) : await send(rest);
  return [...outcomes, ...more];
}

/** v0 knows gzip by its first bytes, and nothing else. */
function known(compression: Compression | null): Compression {
  return compression === "none" ? "none" : "gzip";
}

function readV0Answer(answer: HttpAnswer, now: number): Answer {
  return answer.status === 200 ? readAcceptance(answer.body) : readError(answer, now);
}

/** A 200 may come from a proxy, or may mean that the batch was thrown away for billing. */
function readAcceptance(body: string): Answer {
  const answer = parseObject(body);
  if (answer === null || !(answer.status === "Ok" || answer.status === 1)) {
    return { kind: "retry", reason: `The 200 is not PostHog's: ${quote(body)}` };
  }
  const limited = Array.isArray(answer.quota_limited) ? answer.quota_limited : [];
  if (limited.length === 0) return { kind: "delivered" };
  const names = limited.join(", ");
  // Of recordings, say: events are none of it.
  if (!limited.includes("events")) return { kind: "delivered", note: `over quota for ${names}`, code: "quota_limited" };
  return overQuota(`PostHog took the batch but is over its quota for ${names}`);
}
