/** Takes a failing batch apart until the message that fails is alone, so that the rest can go. */

import type { Outcome } from "../core/destination.ts";
import type { OutboxMessage } from "../core/message.ts";

export type SendSome = (messages: readonly OutboxMessage[]) => Promise<readonly Outcome[]>;

/**
 * Sends the first message of one lane, picked by `random` in [0, 1), alone: is the destination down, or is it the
 * batch? Gives `outcomes` itself when it failed again, else a copy with what became of it.
 */
export async function probe(
  messages: readonly OutboxMessage[],
  outcomes: readonly Outcome[],
  send: SendSome,
  random: number,
): Promise<readonly Outcome[]> {
  const heads = new Map<number, number>();
  for (const [index, { lane }] of messages.entries()) if (!heads.has(lane)) heads.set(lane, index);
  const index = [...heads.values()][Math.floor(random * heads.size)] ?? 0;
  const [outcome] = await send(messages.slice(index, index + 1));
  return outcome === undefined || outcome.kind === "retry" ? outcomes : outcomes.with(index, outcome);
}

/**
 * Halves what of `messages` has to be sent again by `outcomes`, and sends the parts in order; nothing of a lane is
 * sent after something of it failed. Spends three times the requests one culprit takes, for there may be more of them,
 * but the destination may also be down.
 */
export async function isolate(
  messages: readonly OutboxMessage[],
  outcomes: readonly Outcome[],
  send: SendSome,
): Promise<readonly Outcome[]> {
  const result = [...outcomes];
  const heldLanes = new Set<number>();
  let requestsLeft = 6 * Math.ceil(Math.log2(messages.length + 1));

  async function visit(indexes: readonly number[]): Promise<void> {
    const free = indexes.filter((at) => !heldLanes.has(messages[at]?.lane ?? -1));
    if (free.length === 0 || requestsLeft === 0) return;
    requestsLeft -= 1;
    const answers = await send(free.flatMap((at) => messages[at] ?? []));
    if (free.length > 1 && answers.every(({ kind }) => kind === "retry")) return halve(free);
    for (const [position, at] of free.entries()) {
      const answer = answers[position];
      if (answer) result[at] = answer;
      if (answer?.kind === "retry") heldLanes.add(messages[at]?.lane ?? -1);
    }
  }

  async function halve(indexes: readonly number[]): Promise<void> {
    const middle = (indexes.length + 1) >>> 1;
    await visit(indexes.slice(0, middle));
    await visit(indexes.slice(middle));
  }

  await halve([...messages.keys()].filter((at) => result[at]?.kind === "retry"));
  return result;
}
