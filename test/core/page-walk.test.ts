import { expect, it } from "vitest";
import * as z from "zod";
import { positionFrom, walkPages } from "../../src/core/page-walk.ts";

interface Place {
  readonly at: number;
}

/** Pages 1 to 3; `asked` is told of each. */
function walk(signal: AbortSignal, asked: (at: number) => Promise<void> = async () => undefined) {
  const ask = async ({ at }: Place) => {
    await asked(at);
    return { page: at, next: at < 3 ? { at: at + 1 } : null };
  };
  return walkPages({ at: 1 }, ask, signal);
}

async function collect<One>(pages: AsyncIterable<One>): Promise<readonly One[]> {
  const all: One[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

it("asks from one position to the next, to the end", async () => {
  expect(await collect(walk(new AbortController().signal))).toEqual([1, 2, 3]);
});

it("stops without error where asking failed because it was to stop, and throws what failed otherwise", async () => {
  const stop = new AbortController();
  const stopped = walk(stop.signal, async (at) => {
    if (at < 2) return;
    stop.abort();
    throw new Error("stopped");
  });
  expect(await collect(stopped)).toEqual([1]);
  const broken = walk(new AbortController().signal, async (at) => {
    if (at === 2) throw new Error("broken");
  });
  await expect(collect(broken)).rejects.toThrow("broken");
});

it("begins at the start where a cursor is of another shape, no JSON or missing", () => {
  const shape = z.strictObject({ at: z.int() });
  const from = (after: string | null) => positionFrom(after, shape, { at: 0 });
  expect(from('{"at":7}')).toEqual({ at: 7 });
  for (const after of [null, "", "{", "7", '{"at":"7"}', '{"at":7,"more":1}']) expect(from(after)).toEqual({ at: 0 });
});
