/** A claim that removes properties of groups: those are asked of another service than events, one by one, in their order. */

import { BEHIND, type Outcome } from "../../core/destination.ts";
import { isGroupUnset, type OutboxMessage } from "../../core/message.ts";
import { fill, pick } from "./requests.ts";

export interface PartsDoors {
  readonly send: (events: readonly OutboxMessage[]) => Promise<readonly Outcome[]>;
  readonly remove: (removal: OutboxMessage) => Promise<Outcome>;
}

/**
 * Events together, and each removal alone, in order. What has to wait keeps the rest of its lane waiting, and nothing else;
 * a server that is down is not asked again for the events behind.
 */
export async function inParts(messages: readonly OutboxMessage[], doors: PartsDoors): Promise<readonly Outcome[]> {
  const outcomes = new Array<Outcome>(messages.length).fill(BEHIND);
  const held = new Set<number>();
  let down: Outcome | null = null;
  for (const { places, isRemoval } of partsOf(messages)) {
    const free = places.filter((place) => !held.has(messages[place]?.lane ?? -1));
    const part = pick(messages, free);
    const [first] = part;
    if (!first) continue;
    const answers: readonly Outcome[] = isRemoval
      ? [await doors.remove(first)]
      : down
        ? new Array<Outcome>(part.length).fill(down)
        : await doors.send(part);
    fill(outcomes, free, answers);
    for (const [at, { lane }] of part.entries()) if (isWaiting(answers[at])) held.add(lane);
    if (!isRemoval && answers.every((answer) => answer === answers[0] && isDown(answer))) down = answers[0] ?? null;
  }
  return outcomes;
}

interface Part {
  readonly places: number[];
  readonly isRemoval: boolean;
}

function partsOf(messages: readonly OutboxMessage[]): readonly Part[] {
  const parts: Part[] = [];
  for (const [place, { body }] of messages.entries()) {
    const isRemoval = isGroupUnset(body);
    const last = parts.at(-1);
    if (last && !isRemoval && !last.isRemoval) last.places.push(place);
    else parts.push({ places: [place], isRemoval });
  }
  return parts;
}

function isWaiting(outcome: Outcome | undefined): boolean {
  return outcome?.kind === "retry" || outcome?.kind === "later";
}

/** What is said of one event alone has `afterMs`. */
function isDown(outcome: Outcome): boolean {
  return outcome.kind === "retry" && outcome.afterMs === undefined;
}
