/** The embedded engine as a destination. It is passed in as a function: adapters do not know each other. */

import type { Destination, DestinationLimits, Outcome } from "../core/destination.ts";
import { toPrickleError } from "../core/errors.ts";

/** Large batches, one at a time: the engine writes in one transaction after the other, and each costs a flush. */
const LIMITS: DestinationLimits = {
  maxMessages: 8_000,
  maxBytes: 8_000_000,
  concurrency: 1,
  messagesPerSecond: null,
  requestsPerSecond: null,
  lingerMs: 20,
};

export interface EngineDestinationOptions {
  readonly name: string;
  /** Applies the bodies, with an outcome for each; throws when it cannot now. As `(bodies) => engine.append(bodies, clock.now())`. */
  readonly append: (bodies: readonly Uint8Array[]) => Promise<readonly Outcome[]>;
  readonly limits?: Partial<DestinationLimits>;
}

/** A batch that the engine cannot take now is held back as a whole; a message that is wrong goes alone. */
export function createEngineDestination({ name, append, limits }: EngineDestinationOptions): Destination {
  return {
    name,
    limits: { ...LIMITS, ...limits },
    async deliver(messages) {
      try {
        return await append(messages.map(({ body }) => body));
      } catch (thrown) {
        return new Array<Outcome>(messages.length).fill(heldBack(thrown));
      }
    },
    close: () => Promise.resolve(),
  };
}

/** Whatever was thrown, messages are kept: only an outcome of the engine itself may give one up. */
function heldBack(thrown: unknown): Outcome {
  const { message, retryAfterMs } = toPrickleError(thrown);
  const reason = `engine: ${message}`;
  return retryAfterMs === undefined ? { kind: "retry", reason } : { kind: "retry", reason, retryAfterMs };
}
