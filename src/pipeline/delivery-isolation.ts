/** Takes a failing batch apart until the message that fails is alone, so that the rest can go. */

import type { Outcome } from "../core/destination.ts";
import type { OutboxMessage } from "../core/message.ts";

type SendSome = (messages: readonly OutboxMessage[]) => Promise<readonly Outcome[]>;

/**
 * Halves `messages`, all of which just failed with `outcomes`, and sends the parts in order; nothing of a lane is sent
 * after something of it failed. Spends three times the requests one culprit takes, for a destination may be down.
 */
export async function isolate(
  messages: readonly OutboxMessage[],
  outcomes: readonly Outcome[],
  send: SendSome,
): Promise<readonly Outcome[]> {
  const result = [...outcomes];
  const heldLanes = new Set<number>();
  let requestsLeft = 6 * Math.ceil(Math.log2(messages.length + 1));

  async function visit(from: number, until: number): Promise<void> {
    const indexes: number[] = [];
    for (let at = from; at < until; at++) if (!heldLanes.has(messages[at]?.lane ?? -1)) indexes.push(at);
    if (indexes.length === 0 || requestsLeft <= 0) return;
    requestsLeft -= 1;
    const answers = await send(indexes.flatMap((at) => messages[at] ?? []));
    for (const [position, at] of indexes.entries()) result[at] = answers[position] ?? result[at] ?? LOST;
    if (indexes.length > 1 && answers.every(({ kind }) => kind === "retry")) return halve(from, until);
    for (const at of indexes) if (result[at]?.kind === "retry") heldLanes.add(messages[at]?.lane ?? -1);
  }

  async function halve(from: number, until: number): Promise<void> {
    const middle = (from + until) >>> 1;
    await visit(from, middle);
    await visit(middle, until);
  }

  if (messages.length > 1) await halve(0, messages.length);
  return result;
}

const LOST: Outcome = { kind: "retry", reason: "no outcome" };
