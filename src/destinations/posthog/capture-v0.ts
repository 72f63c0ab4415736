/** Protocol v0: `POST /batch/`, taken or refused as a whole (facts on PostHog, 2, seen 2026-11). */

import { DELIVERED, type Outcome } from "../../core/destination.ts";
import type { HttpAnswer } from "../../platform/http-client.ts";
import { type Absent, overQuota, parseObject, quote, type Refused, type Retry, readError } from "./answer.ts";
import { type Compression, endingOf } from "./batch.ts";
import type { Capture, CaptureOptions } from "./capture.ts";
import type { CheckedMessage } from "./checked.ts";
import { createRefusals, inPieces, type Sending, type Settled, saysTheSame } from "./refusals.ts";
import { pick, requestsOf } from "./requests.ts";

const MAX_WIRE_BYTES = 20 * 1024 * 1024;
const NOT_THERE: ReadonlySet<number> = new Set([404, 405, 410]);

/**
 * No `sent_at` and `$ignore_sent_at`: else PostHog moves timestamps by its distance to `sent_at`, and a repetition would
 * land on another time and count twice. `$geoip_disable`: our address says nothing about the user's.
 *
 * For one wrong event PostHog refuses a batch as a whole: such a batch is halved until the culprit is alone, unless it is the
 * destination that is wrong (refusals.ts).
 */
export function createV0Capture({
  basePath,
  token,
  version,
  compression,
  wire,
  clock,
}: CaptureOptions): Capture<Outcome | Absent> {
  const path = `${basePath}/batch/`;
  const own = `"$ignore_sent_at":true,"$geoip_disable":true,"$lib":"prickle","$lib_version":${JSON.stringify(version)}}}`;
  const ending = endingOf(own);
  const tail = Buffer.from("]}");
  const headOf = (migration: string) => Buffer.from(`{"api_key":${JSON.stringify(token)},${migration}"batch":[`);
  const live = { head: headOf(""), tail, ending };
  const history = { head: headOf(`"historical_migration":true,`), tail, ending };

  const refusals = createRefusals();

  async function ask(messages: readonly CheckedMessage[], { way, signal }: Sending) {
    const envelope = way.isHistory ? history : live;
    const request = { path, headers: {}, envelope, pieces: messages, compression: known(compression) };
    return wire.post({ ...request, service: way.service, maxWireBytes: MAX_WIRE_BYTES }, signal);
  }

  async function post(messages: readonly CheckedMessage[], sending: Sending): Promise<Answer> {
    const answer = await ask(messages, sending);
    return "status" in answer ? readV0Answer(answer, clock.now()) : answer;
  }

  async function send(messages: readonly CheckedMessage[], sending: Sending): Promise<Settled[]> {
    const { trial } = sending;
    const answer = trial.stopped() ?? (await post(messages, sending));
    if (answer.kind === "delivered") trial.noteTaken();
    if (answer.kind !== "refused") return new Array<Settled>(messages.length).fill(answer);
    if (messages.length === 1) {
      trial.noteRefusedAlone(answer);
      return [answer];
    }
    const middle = messages.length >>> 1;
    const outcomes = await send(messages.slice(0, middle), sending);
    return inPieces(await afterThat(outcomes, messages.slice(middle), (rest) => send(rest, sending)));
  }

  async function sendAll(messages: readonly CheckedMessage[], sending: Sending): Promise<readonly Settled[]> {
    const requests = requestsOf(messages, () => null);
    if (requests.length === 1) return send(messages, sending);
    const outcomes: Settled[] = [];
    let sent: readonly Settled[] = [];
    for (const places of requests) {
      sent = (await afterThat(sent, pick(messages, places), (rest) => send(rest, sending))).slice(sent.length);
      for (const [at, place] of places.entries()) outcomes[place] = sent[at] ?? DELIVERED;
    }
    return outcomes;
  }

  /** Without events it would say the same if it refused everything. */
  async function readsBatches({ reason }: Refused, sending: Sending): Promise<boolean> {
    const answer = await ask([], sending);
    if (!("status" in answer)) return false;
    const read = readV0Answer(answer, clock.now());
    return read.kind === "delivered" || (read.kind === "refused" && !saysTheSame(read.reason, reason));
  }

  return {
    async send(messages, way, signal) {
      const sending = { way, signal, trial: refusals.begin() };
      const outcomes = await sendAll(messages, sending);
      return sending.trial.settle(messages, outcomes, (refused) => readsBatches(refused, sending));
    },
  };
}

type Answer = Extract<Outcome, { kind: "delivered" }> | Retry | Refused | Absent;

/** Once something has to wait, what comes after it in its lane waits too. */
async function afterThat(
  outcomes: readonly Settled[],
  rest: readonly CheckedMessage[],
  send: (rest: readonly CheckedMessage[]) => Promise<Settled[]>,
): Promise<Settled[]> {
  const last = outcomes.at(-1) ?? DELIVERED;
  const more =
    last.kind === "retry" || last.kind === "absent" ? new Array<Settled>(rest.length).fill(last) : await send(rest);
  return [...outcomes, ...more];
}

/** v0 knows gzip by its first bytes, and nothing else. */
function known(compression: Compression | null): Compression {
  return compression === "none" ? "none" : "gzip";
}

function readV0Answer(answer: HttpAnswer, now: number): Answer {
  const { status, body } = answer;
  if (NOT_THERE.has(status)) return { kind: "absent", reason: `PostHog answered ${status}: ${quote(body)}` };
  return status === 200 ? readAcceptance(body) : readError(answer, now);
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
