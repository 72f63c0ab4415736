/** Dead letters as they are printed. */

import type { DeadLetter, DeadLetterFilter } from "../../core/dead-letter.ts";
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import type { Operations } from "../../core/operations.ts";
import { count } from "../show-table.ts";

export function lettersText(number: number): string {
  return `${count(number)} dead letter${number === 1 ? "" : "s"}`;
}

const PAGE = { limit: 1_000, maxBytes: 4 * 1024 * 1024 };

/** All that the filter lets through, or as many as its limit, page by page: however many there are, few are in memory. */
export async function* pagesOf(
  operations: Pick<Operations, "listDeadLetters">,
  filter: DeadLetterFilter,
): AsyncGenerator<readonly DeadLetter[]> {
  let left = filter.limit ?? Number.POSITIVE_INFINITY;
  for (let after = 0; left > 0; ) {
    const page = { ...filter, ...PAGE, after, limit: Math.min(left, PAGE.limit) };
    const letters = await operations.listDeadLetters(page);
    const last = letters.at(-1);
    if (!last) return;
    yield letters;
    left -= letters.length;
    after = last.id;
  }
}

/** Name of the event; empty for what is no message. */
export function eventOf(body: string): string {
  const message = messageOf(body);
  return isJsonObject(message) && typeof message.event === "string" ? message.event : "";
}

/** The text itself when it is no JSON. */
export function messageOf(body: string): JsonValue {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
