/**
 * Events that protocol v1 answered `retry` for, and that have to wait longer than a delivery may: they go out later under
 * the same request id, alone. In memory: after a restart they begin anew, which is harmless.
 */

import { type MessageText, uuidOf } from "./message-text.ts";
import type { Head } from "./v1-request.ts";

export interface Repeat {
  /** What stays the same over the attempts. */
  readonly request: Omit<Head, "attempt">;
  /** The next attempt: 2 or more. */
  readonly attempt: number;
}

export interface Repeats {
  /** Takes out what is known of the messages; null: nothing. */
  take(messages: readonly MessageText[]): Taken | null;
  remember(messages: readonly MessageText[], repeat: Repeat): void;
}

/** Places of messages, ascending: those of requests to be repeated, and all others. */
export interface Taken {
  readonly repeats: readonly { readonly repeat: Repeat; readonly places: readonly number[] }[];
  readonly others: readonly number[];
}

/** What is forgotten beyond that begins anew. */
const MOST = 10_000;

export function createRepeats(): Repeats {
  const known = new Map<string, Repeat>();

  return {
    take(messages) {
      if (known.size === 0) return null;
      const others: number[] = [];
      const found = new Map<Repeat, number[]>();
      for (const [place, message] of messages.entries()) {
        const uuid = uuidOf(message);
        const repeat = known.get(uuid);
        known.delete(uuid);
        if (!repeat) others.push(place);
        else found.set(repeat, [...(found.get(repeat) ?? []), place]);
      }
      return { repeats: [...found].map(([repeat, places]) => ({ repeat, places })), others };
    },
    remember(messages, repeat) {
      for (const message of messages) known.set(uuidOf(message), repeat);
      for (const uuid of known.keys()) {
        if (known.size <= MOST) return;
        known.delete(uuid);
      }
    },
  };
}
