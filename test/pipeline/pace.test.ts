/** A source is held back to so many records a second. */

import { expect, it } from "vitest";
import type { Page, PullSource } from "../../src/core/source.ts";
import { paced } from "../../src/pipeline/pace.ts";
import { createManualClock } from "../fakes/clock.ts";

const PAGES = 4;

function pagesOf(records: number): PullSource {
  return {
    checkpointName: "pages",
    async *pages(cursor) {
      for (let at = Number(cursor ?? 0); at < PAGES; at++) yield pageOf(records, at);
    },
  };
}

function pageOf(records: number, at: number): Page {
  const record = { source: "s", occurredAt: 0, statedAt: null, receivedAt: 0, payload: {} };
  return {
    records: Array.from({ length: records }, (_, n) => ({ ...record, id: `${at}-${n}` })),
    rejections: [],
    cursor: String(at + 1),
    progress: { records: (at + 1) * records, bytes: 0, totalBytes: null },
  };
}

it("gives the first page at once and each other when the records before it have had their time", async () => {
  const clock = createManualClock(0);
  const givenAt: number[] = [];
  const reading = (async () => {
    for await (const _ of paced(pagesOf(50), 100, clock).pages(null, new AbortController().signal))
      givenAt.push(clock.now());
  })();
  for (let tick = 0; tick < 30; tick++) await clock.advance(100);
  await reading;
  expect(givenAt).toEqual(
    [0, 500, 1000, 1500].map((at) => expect.toSatisfy((given) => given >= at && given <= at + 200)),
  );
});

it("goes on from a cursor, and stops while it waits", async () => {
  const clock = createManualClock(0);
  const stop = new AbortController();
  const cursors: string[] = [];
  const reading = (async () => {
    for await (const { cursor } of paced(pagesOf(50), 1, clock).pages("2", stop.signal)) cursors.push(cursor);
  })();
  await clock.advance(1);
  stop.abort();
  await reading;
  expect(cursors).toEqual(["3"]);
});
