/** Sends each message by the protocol that is right for it and for the server. */

import { DELIVERED, type Outcome } from "../../core/destination.ts";
import { type Absent, blocked } from "./answer.ts";
import type { Capture, Way } from "./capture.ts";
import type { CheckedMessage } from "./checked.ts";
import { V0_ONLY } from "./message-text.ts";
import type { Protocol, ProtocolFinder } from "./protocols.ts";

export interface ProtocolParts {
  readonly protocol: Protocol | "auto";
  readonly finder: ProtocolFinder;
  readonly v0: Capture<Outcome | Absent>;
  readonly v1: Capture<Outcome | Absent>;
}

export function createCapture({ protocol, finder, v0, v1 }: ProtocolParts): Capture<Outcome> {
  async function byV0(messages: readonly CheckedMessage[], way: Way, signal: AbortSignal): Promise<readonly Outcome[]> {
    const answers = await v0.send(messages, way, signal);
    if (answers.every(isOutcome)) return answers;
    finder.noteAbsent("v0");
    return answers.map((answer) => (isOutcome(answer) ? answer : blocked(`${answer.reason}: is the host right?`)));
  }

  /** Nobody there spoke v1: the same events by v0, where the project folds what it has already. */
  async function byV1(messages: readonly CheckedMessage[], way: Way, signal: AbortSignal): Promise<readonly Outcome[]> {
    const answers = await v1.send(messages, way, signal);
    if (answers.every(isOutcome)) return answers;
    const outcomes = answers.map((answer) => (answer.kind === "absent" ? blocked(answer.reason) : answer));
    if (protocol === "v1") return outcomes;
    const absent = [...answers.keys()].filter((at) => answers[at]?.kind === "absent");
    finder.noteAbsent("v1");
    const rest = absent.flatMap((at) => messages[at] ?? []);
    const more = await byV0(rest, way, signal);
    for (const [index, at] of absent.entries()) outcomes[at] = more[index] ?? DELIVERED;
    return outcomes;
  }

  return {
    async send(messages, way, signal) {
      const spoken = protocol === "auto" ? await finder.find(signal) : protocol;
      if (spoken === "v0") return byV0(messages, way, signal);
      if (!messages.some(isForV0)) return byV1(messages, way, signal);
      const forV0 = messages.filter(isForV0);
      const forV1 = messages.filter((message) => !isForV0(message));
      const outcomes = forV1.length === 0 ? [] : await byV1(forV1, way, signal);
      const others = await byV0(forV0, way, signal);
      let [at, otherAt] = [0, 0];
      return messages.map((message) => (isForV0(message) ? others[otherAt++] : outcomes[at++]) ?? DELIVERED);
    },
  };
}

function isOutcome(answer: Outcome | Absent): answer is Outcome {
  return answer.kind !== "absent";
}

/** What PostHog's own clients send by v0 only. */
function isForV0({ traits }: CheckedMessage): boolean {
  return (traits & V0_ONLY) !== 0;
}
