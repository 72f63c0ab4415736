/** Holds a source back to so many records a second. */

import type { Clock } from "../core/clock.ts";
import type { PullSource } from "../core/source.ts";

/** The pages come as they are, each when those before it have had their time. */
export function paced(source: PullSource, perSecond: number, clock: Clock): PullSource {
  return {
    checkpointName: source.checkpointName,
    async *pages(cursor, signal) {
      let nextAt = clock.now();
      for await (const page of source.pages(cursor, signal)) {
        await clock.sleep(Math.max(0, nextAt - clock.now()), signal);
        if (signal.aborted) return;
        yield page;
        const records = "parcels" in page ? page.received : page.records.length + page.rejections.length;
        nextAt = Math.max(nextAt, clock.now()) + (records / perSecond) * 1000;
      }
    },
  };
}
