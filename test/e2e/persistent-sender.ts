/** A sender as Segment's clients are: each user's calls in order, the same request again until it is answered with 200. */

import { setTimeout as delay } from "node:timers/promises";

export interface PersistentSender {
  /** Sends until `stop`; each sender has users of its own, so that their calls stay in order. */
  readonly stopped: Promise<void>;
  stop(): void;
  /** Calls answered with 200: user → how many, numbered from 0. */
  readonly acknowledged: ReadonlyMap<string, number>;
  /** Calls answered with 200, of all users. */
  readonly count: () => number;
  readonly retries: () => number;
  /** Everything it was answered, in order. */
  readonly answers: readonly SenderAnswer[];
}

export interface SenderAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
}

export interface SenderOptions {
  /** Where the server is now; null while there is none. */
  readonly url: () => string | null;
  readonly writeKey: string;
  readonly senders: number;
  readonly callsPerRequest: number;
}

const USERS_PER_SENDER = 3;

export function startSender({ url, writeKey, senders, callsPerRequest }: SenderOptions): PersistentSender {
  const acknowledged = new Map<string, number>();
  let isStopping = false;
  let retries = 0;
  const answers: SenderAnswer[] = [];
  const authorization = `Basic ${Buffer.from(`${writeKey}:`).toString("base64")}`;

  async function post(body: string): Promise<boolean> {
    const base = url();
    if (base === null) return false;
    const headers = { authorization, "content-type": "application/json" };
    const answer = await fetch(`${base}/v1/batch`, { method: "POST", headers, body }).catch(() => null);
    await answer?.arrayBuffer().catch(() => null);
    if (answer) answers.push({ status: answer.status, retryAfter: answer.headers.get("retry-after") });
    return answer?.status === 200;
  }

  async function sendUntilTaken(body: string): Promise<void> {
    while (!(await post(body))) {
      retries += 1;
      await delay(15);
    }
  }

  async function send(sender: number): Promise<void> {
    const users = Array.from({ length: USERS_PER_SENDER }, (_, index) => `user-${sender}-${index}`);
    while (!isStopping) {
      const calls = users.flatMap((userId) => {
        const from = acknowledged.get(userId) ?? 0;
        return Array.from({ length: Math.ceil(callsPerRequest / USERS_PER_SENDER) }, (_, index) =>
          callOf(userId, from + index),
        );
      });
      await sendUntilTaken(JSON.stringify({ batch: calls, sentAt: new Date().toISOString() }));
      for (const { userId } of calls) acknowledged.set(userId, (acknowledged.get(userId) ?? 0) + 1);
    }
  }

  const stopped = Promise.all(Array.from({ length: senders }, (_, sender) => send(sender))).then(() => undefined);
  return {
    stopped,
    stop() {
      isStopping = true;
    },
    acknowledged,
    count: () => acknowledged.values().reduce((sum, calls) => sum + calls, 0),
    retries: () => retries,
    answers,
  };
}

const BEGINNING = Date.UTC(2026, 9, 1);

export function callOf(userId: string, number: number) {
  return {
    type: "track",
    event: "Counted",
    userId,
    messageId: `${userId}/${number}`,
    timestamp: new Date(BEGINNING + number).toISOString(),
    context: { groupId: `company-${userId.length % 3}` },
    properties: { number },
  };
}
