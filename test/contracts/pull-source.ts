/** What every source that is asked must give: the sentences of PullSource in src/core/source.ts. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PullSource } from "../../src/core/source.ts";
import { collect } from "./row-source.ts";

export interface PullSourceRig {
  /** Of at least three pages; each one opened knows by a cursor alone where it is. */
  open(): PullSource;
  close(): Promise<void>;
}

export function describePullSource(name: string, create: () => Promise<PullSourceRig>): void {
  describe(`${name} as a source that is asked`, () => {
    let rig: PullSourceRig;
    beforeEach(async () => {
      rig = await create();
    });
    afterEach(() => rig.close());

    async function read(cursor: string | null, signal = new AbortController().signal) {
      const pages = await collect(rig.open().pages(cursor, signal));
      return pages.map((page) => ({ cursor: page.cursor, records: "records" in page ? page.records : [] }));
    }

    it("has a name for its checkpoint, the same each time", () => {
      expect(rig.open().checkpointName).toBe(rig.open().checkpointName);
    });

    it("gives the same records for the same cursor", async () => {
      const pages = await read(null);
      expect(pages.length).toBeGreaterThan(2);
      expect(await read(null)).toEqual(pages);
      expect(await read(pages[0]?.cursor ?? null)).toEqual(await read(pages[0]?.cursor ?? null));
    });

    it("gives the rest after any cursor, and nothing twice", async () => {
      const pages = await read(null);
      const all = pages.flatMap(({ records }) => records);
      for (const [index, { cursor }] of pages.entries()) {
        const before = pages.slice(0, index + 1).flatMap(({ records }) => records);
        const rest = (await read(cursor)).flatMap(({ records }) => records);
        expect([...before, ...rest]).toEqual(all);
      }
    });

    it("stops without error when it is told to, before the first page and after it", async () => {
      const stop = new AbortController();
      let pages = 0;
      for await (const _ of rig.open().pages(null, stop.signal)) {
        pages += 1;
        stop.abort();
      }
      expect(pages).toBe(1);
      expect(await read(null, stop.signal)).toEqual([]);
    });
  });
}
