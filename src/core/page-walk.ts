/** Walks the pages of a source from one position to the next, and reads positions back from checkpoints. */

import type * as z from "zod";
import { parseSafely } from "./safe-parsing.ts";

export interface Step<Position, Page> {
  /** Null: nothing to tell. */
  readonly page: Page | null;
  /** Null: that was the end. */
  readonly next: Position | null;
}

/** Stops without error when `signal` aborts, also where `ask` throws because of that. */
export async function* walkPages<Position extends string | object, Page>(
  from: Position,
  ask: (position: Position) => Promise<Step<Position, Page>>,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  for (let position: Position | null = from; position !== null && !signal.aborted; ) {
    const step: Step<Position, Page> | null = await unlessAborted(ask(position), signal);
    if (!step) return;
    if (step.page) yield step.page;
    position = step.next;
  }
}

/** Null instead of what is thrown because `signal` aborted. */
export async function unlessAborted<Value>(asked: Promise<Value>, signal: AbortSignal): Promise<Value | null> {
  try {
    return await asked;
  } catch (thrown) {
    if (signal.aborted) return null;
    throw thrown;
  }
}

/** `start` also for what another version wrote: what is read again says nothing new. */
export function positionFrom<Schema extends z.ZodType>(
  after: string | null,
  schema: Schema,
  start: z.output<Schema>,
): z.output<Schema> {
  if (after === null) return start;
  try {
    const parsed = parseSafely(schema, JSON.parse(after));
    return parsed.success ? parsed.data : start;
  } catch {
    return start;
  }
}
