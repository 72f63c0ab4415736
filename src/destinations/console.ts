/** A dry run: messages are written where a person can read them, and count as delivered. */

import { once } from "node:events";
import type { Writable } from "node:stream";
import { DELIVERED, type Destination, type Outcome } from "../core/destination.ts";

export interface ConsoleOptions {
  readonly name: string;
  /** Resolves when there is room for more. See `writeTo`. */
  readonly write: (lines: string) => Promise<void>;
}

/** Writes each message as one line of JSON. A failing `write` holds the messages back. */
export function createConsoleDestination({ name, write }: ConsoleOptions): Destination {
  return {
    name,
    // One batch at a time: lines of one lane come in order, and a slow reader holds back the whole.
    limits: {
      maxMessages: 500,
      maxBytes: 1_000_000,
      concurrency: 1,
      messagesPerSecond: null,
      requestsPerSecond: null,
      lingerMs: 0,
    },
    async deliver(messages) {
      const lines = messages.map(({ body }) => `${decoder.decode(body)}\n`).join("");
      const outcome = await write(lines).then(
        (): Outcome => DELIVERED,
        (thrown: unknown): Outcome => ({ kind: "retry", reason: `cannot be written: ${String(thrown)}` }),
      );
      return new Array<Outcome>(messages.length).fill(outcome);
    },
    close: () => Promise.resolve(),
  };
}

/** A `write` for a stream: waits for `drain` when its buffer is full. Rejects when the stream fails. */
export function writeTo(stream: Writable): ConsoleOptions["write"] {
  return async (lines) => {
    if (stream.destroyed || stream.writableEnded) throw new Error("the stream is closed");
    if (!stream.write(lines)) await once(stream, "drain");
  };
}

const decoder = new TextDecoder();
